"""What ``store …`` says around the facts, in English and Korean."""

from __future__ import annotations

from typing import Final

_BOTH: Final[dict[str, tuple[str, str]]] = {
    "progress": ("{what}: {done} of {of}", "{what}: {of} 중 {done}"),
    "progress_open": ("{what}: {done}", "{what}: {done}"),
    "waits": (
        "Something is being erased at this moment; the backup waits for it.",
        "지금 삭제가 진행 중이라 백업이 기다립니다.",
    ),
    "backed_up": (
        "Backup in {folder}: customers {customers}, entries {entries}, files {files}, {mb} MB. It is whole.",
        "백업 {folder}: 고객 {customers}, 기록 {entries}, 파일 {files}, {mb} MB. 빠진 것 없음.",
    ),
    "backed_damage": (
        "Copied as it is, for it was damaged in the store already: {path} ({why}). See: agentconsole store check",
        "저장소에서 이미 손상되어 있던 그대로 복사됨: {path} ({why}). 확인: agentconsole store check",
    ),
    "restored": (
        "Restored into {store}: customers {customers}, entries {entries}, as of {began}.",
        "{store} 복원됨: 고객 {customers}, 기록 {entries}, {began} 기준.",
    ),
    "restored_before": (
        "The store before is kept in {before}. When it is not needed any more: agentconsole store prune",
        "이전 저장소는 {before}에 있음. 필요 없어지면: agentconsole store prune",
    ),
    "reapplied": (
        "Taken over from after the backup: customers erased again {erased}, opt-outs and opt-ins {consents}, "
        "entries redacted again {redacted}.",
        "백업 이후 것 중 다시 적용: 고객 삭제 {erased}, 수신 동의와 거부 {consents}, 내용 삭제 {redacted}.",
    ),
    "restored_next": (
        "Nothing is sent because of this: the next hub shows every unfinished reply as uncertain. See: "
        "agentconsole outbox list --state uncertain",
        "이 때문에 나가는 답장은 없음. 허브가 시작되면 끝나지 않은 답장은 모두 불확실로 표시됨: "
        "agentconsole outbox list --state uncertain",
    ),
    "restored_finished": (
        "An earlier restore of this backup had been cut short after its last step and is finished now.",
        "전에 중단된 이 백업의 복원을 마저 끝냄.",
    ),
    "restored_damage": ("Not as it was copied: {path} ({why})", "복사한 때와 다름: {path} ({why})"),
    "backup_sound": (
        "The backup {folder} is whole: all {files} files are what was copied on {began}.",
        "백업 {folder} 이상 없음: 파일 {files}개 모두 {began}에 복사한 그대로임.",
    ),
    "finding": ("{path}: {what}", "{path}: {what}"),
    "finding_customer": ("{path}, customer {customer}: {what}", "{path}, 고객 {customer}: {what}"),
    "finding_do": ("  {do}", "  {do}"),
    "checked": (
        "Checked: customers {customers}, entries {entries}, files {files}; damaged {damaged}, other remarks {remarks}.",
        "확인함: 고객 {customers}, 기록 {entries}, 파일 {files}; 손상 {damaged}, 그 밖의 알림 {remarks}.",
    ),
    "rebuilt": (
        "Index and full text built anew: customers {customers}, entries {entries} in {seconds} s ({rate} entries/s).",
        "색인을 다시 만듦: 고객 {customers}, 기록 {entries}, {seconds}초(초당 {rate}건).",
    ),
    "rebuilt_damaged": (
        "{customer} is only read: its file is damaged. See: agentconsole store check",
        "{customer} 읽기 전용: 파일 손상. 확인: agentconsole store check",
    ),
    "rebuilt_differs": ("Still differs: {what}", "아직 다름: {what}"),
    "removable": ("{path}: {what}, {mb} MB, {day}", "{path}: {what}, {mb} MB, {day}"),
    "nothing_old": ("Nothing of that age is left over.", "그만큼 오래된 것 없음."),
    "prune_yes": (
        "Nothing was removed. To remove these: agentconsole store prune --older-than {days} --yes",
        "아직 지우지 않음. 지우려면: agentconsole store prune --older-than {days} --yes",
    ),
    "pruned": ("Removed: {n}.", "지움: {n}."),
}

PHRASES: Final = {
    "en": {key: pair[0] for key, pair in _BOTH.items()},
    "ko": {key: pair[1] for key, pair in _BOTH.items()},
}
