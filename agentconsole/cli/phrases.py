"""What commands say around the facts, in English and Korean. Words of the trade are ``text.words``'."""

from __future__ import annotations

from typing import Final

from agentconsole.cli.phrases_compose import COMPOSE
from agentconsole.cli.phrases_waiting import WAITING
from agentconsole.cli.phrases_work import WORK

_BOTH: Final[dict[str, tuple[str, str]]] = {
    # the queue
    "waiting": ("waiting {span}", "{span} 기다림"),
    "assigned": ("assigned to {agent}", "담당 {agent}"),
    "unread": ("unread", "안 읽음"),
    "count.uncertain": ("{n} uncertain", "불확실 {n}"),
    "count.failed": ("{n} failed", "못 보냄 {n}"),
    "count.suggestion": ("{n} suggestion", "제안 {n}"),
    "empty_view": ("Nothing in the view {view}.", "{view} 보기에 아무것도 없음."),
    "more": ("{n} more; see them with --limit {total}.", "{n}건 더 있음: --limit {total}"),
    # the blanked console
    "pin.type": ("PIN (4 to 32 digits or letters): ", "PIN(숫자나 영문 4~32자): "),
    "pin.again": ("The same again: ", "한 번 더: "),
    "pin.set": (
        "The PIN is set ({path}); a console that is open takes it after its next start.",
        "PIN 설정됨({path}). 열려 있는 콘솔에는 다시 시작한 뒤 적용.",
    ),
    "pin.removed": ("The PIN is gone; any key opens a blanked console.", "PIN 삭제됨. 아무 키나 누르면 열림."),
    "pin.none": ("There was no PIN.", "설정된 PIN이 없음."),
    # the card
    "no_name": ("No name", "이름 없음"),
    "address": ("Address: {address} ({trust})", "주소: {address} ({trust})"),
    "address_dead": (
        "Address: {address} ({trust}), takes no messages ({why})",
        "주소: {address} ({trust}), 수신 불가({why})",
    ),
    "linked.provider_ties": ("named by the provider", "제공자가 알림"),
    "linked_by": (", by {agent}, {day}", ", {agent}, {day}"),
    "linked_for": (", {why}, {day}", ", {why}, {day}"),
    "linked_trusted": (", trusted by {agent} as {signer} signs", ", {signer} 서명에 한해 {agent} 신뢰"),
    "sender_not_verified": (
        "Sender not verified: {address}, {signed}",
        "발신자 확인 안 됨: {address}, {signed}",
    ),
    "signed_by": ("signed by {signer}", "서명 {signer}"),
    "unsigned": ("signed by nobody", "서명 없음"),
    "history_closed": (
        "The history is closed; only what this sender wrote is shown. To open it, noted in the audit trail:"
        " agentconsole show --open {id}",
        "이전 기록은 닫혀 있고 이 발신자의 글만 보임. 열려면(감사 기록에 남음): agentconsole show --open {id}",
    ),
    "trusted": (
        "{address} is trusted as {signer} signs it; it lapses when another signs.",
        "{address} 주소를 {signer} 서명에 한해 신뢰함. 서명이 바뀌면 끝남.",
    ),
    "suggestion_postponed": ("To be decided later: {day}", "나중에 결정: {day}"),
    "trusted_no_more": ("{address} is trusted no longer.", "{address} 신뢰를 거둠."),
    "unchecked": (
        "senders are not checked: set authserv_id",
        "발신자를 확인하지 않음: authserv_id 설정 필요",
    ),
    "prefers": ("Prefers: {medium}, since {day}", "선호: {medium}, {day}부터"),
    "prefers_for": ("Prefers for {purpose}: {medium}, since {day}", "{purpose} 선호: {medium}, {day}부터"),
    "opted_out": ("Opted out: {medium} ({scope}), {day}", "수신거부: {medium} ({scope}), {day}"),
    "opted_in": ("Opted in: {medium} ({scope}), {day}", "수신동의: {medium} ({scope}), {day}"),
    "conversation": ("Conversation: {subject}; {status}; {id}", "대화: {subject}; {status}; {id}"),
    "no_subject": ("no subject", "제목 없음"),
    "tags": ("tags {tags}", "태그 {tags}"),
    "merge": ("Merged with {other} by {agent}, {day}; {id}", "{other} 기록과 합침({agent}, {day}); {id}"),
    "may_be": (
        "May be the same as {other} ({address}): {why}; agentconsole suggestion accept {id}",
        "{other}({address})와 같은 사람일 수 있음: {why}; agentconsole suggestion accept {id}",
    ),
    "older": (
        "Older entries are left out; see them with --before {entry}",
        "더 오래된 기록은 생략됨: --before {entry}",
    ),
    "fact": ("Told: {what} ({source})", "고객이 알려 준 것: {what} ({source})"),
    "warning": ("Warning: {why}.", "주의: {why}."),
    "strict": ("Nothing was sent (--strict).", "보내지 않음(--strict)."),
    "raw_masked": ("{id}: raw, holds a number (--reveal)", "{id}: 원본, 번호 포함(--reveal)"),
    # the timeline
    "from": ("{at}, from {name}, {medium}", "{at}, {name} 보냄, {medium}"),
    "unproven": (", sender not proven", ", 발신자 확인 안 됨"),
    "reply_to": (
        ", wants the answer at {address}: another domain, not used",
        ", 다른 도메인 {address} 주소로 답장 요청: 쓰지 않음",
    ),
    "reply": ("{at}, reply by {agent}, {medium}{state}; {id}", "{at}, {agent} 답장, {medium}{state}; {id}"),
    "note": ("{at}, note by {agent}", "{at}, {agent} 메모"),
    "subject": ("Subject: {subject}", "제목: {subject}"),
    "attachment": ("Attachment: {name} ({type}, {size} bytes)", "첨부: {name} ({type}, {size}바이트)"),
    "hit": ("{at}, {medium}, entry {entry}", "{at}, {medium}, 기록 {entry}"),
    "contact": ("{name} ({customer}): {addresses}", "{name} ({customer}): {addresses}"),
    "hits_of": ("{name} ({customer}): {n} found", "{name} ({customer}): {n}건"),
    "hits_more": (
        "{n} of {total} are shown. More: --offset, --limit; fewer of each customer: --each.",
        "{total}건 중 {n}건. 더 보기: --offset, --limit; 고객마다 줄이기: --each.",
    ),
    "nothing_found": ("Nothing found.", "찾은 것 없음."),
    # the choice
    "choice.chosen": (
        "Reply goes by: {why} To {address} through {account}.",
        "답장 채널: {why} 받는 곳 {address}, 계정 {account}.",
    ),
    "choice.proposed": ("Proposed: {why} ({address}, --via {medium})", "제안: {why} ({address}, --via {medium})"),
    "choice.next": (
        "Alternative: {why} To {address} through {account}.",
        "다른 채널: {why} 받는 곳 {address}, 계정 {account}.",
    ),
    "choice.refused": ("Refused: {why} ({address})", "보낼 수 없음: {why} ({address})"),
    "hit_closed": (
        "(closed: sender not verified; show --open)",
        "(닫힘: 발신자 확인 안 됨. show --open)",
    ),
    "choice.asked_nowhere": ("Asked for, set aside: {why}", "요청했으나 따르지 못함: {why}"),
    "choice.set_aside": ("Asked for, set aside: {why} ({address})", "요청했으나 따르지 못함: {why} ({address})"),
    "about.language": ("Language: {what}", "언어: {what}"),
    "about.zone": ("Time zone: {what}", "시간대: {what}"),
    "about.country": ("Country: {what}", "국가: {what}"),
    "about.best_hour": ("Best time: {what}", "연락하기 좋은 시간: {what}"),
    "described": ("Recorded: {what} {value} (before: {before}); {id}", "기록함: {what} {value} (이전: {before}); {id}"),
    "forgotten": ("No longer recorded: {what} (before: {before}); {id}", "기록 지움: {what} (이전: {before}); {id}"),
    "described.language": ("language", "언어"),
    "described.time_zone": ("time zone", "시간대"),
    "described.country": ("country", "국가"),
    "described.nothing": ("nothing", "없음"),
    "fallback": (
        "Would go: {what} To {address} through {account}.",
        "보낼 수 있음: {what} 받는 곳 {address}, 계정 {account}.",
    ),
    "fallback_subject": ("Subject: {subject}", "제목: {subject}"),
    "fallback_send": ("Nothing was sent. To send it: --send", "보내지 않음. 보내려면: --send"),
    "no_channel": ("No channel can be used now.", "지금 쓸 수 있는 채널이 없음."),
    "not_via": ("{medium} cannot be used now.", "지금 {medium}(으)로 보낼 수 없음."),
    "leaves_as": ("It leaves as:", "보내는 글:"),
    "dry_run": ("Nothing was sent (--dry-run).", "보내지 않음(--dry-run)."),
    "sent_to": ("{state}: {medium} to {address}", "{state}: {medium}, 받는 곳 {address}"),
    "reply_id": ("Reply {id}", "답장 {id}"),
    "do.uncertain": (
        "Ask or look whether it arrived; then: agentconsole outbox mark-sent {id}; or: agentconsole outbox resend {id}",
        "도착했는지 확인 후: agentconsole outbox mark-sent {id}, 또는 agentconsole outbox resend {id}",
    ),
    "do.queued": (
        "Tried again by itself; at once: agentconsole sync {account}; taken back: agentconsole outbox cancel {id}",
        "자동으로 다시 시도함. 지금 시도: agentconsole sync {account}, 취소: agentconsole outbox cancel {id}",
    ),
    "do.failed": (
        "To try again: agentconsole outbox resend {id}; other channels: agentconsole why {customer}",
        "다시 보내기: agentconsole outbox resend {id}, 다른 채널: agentconsole why {customer}",
    ),
    "reply_state": ("{state}: reply {id}. {why}", "{state}: 답장 {id}. {why}"),
    "asked_nothing": (
        "The provider was asked and has no proof of it, which proves nothing: ask the customer, or look again later.",
        "제공사에 물었으나 증거가 없습니다. 보내지 않았다는 뜻은 아닙니다. 고객에게 묻거나 나중에 다시 확인하세요.",
    ),
    "asked_cannot": (
        "This provider cannot be asked about one message: a receipt, an answer or the customer will tell.",
        "이 제공사에는 메시지 하나를 물어볼 방법이 없습니다. 수신 확인이나 고객의 답을 기다리거나 고객에게 물어보세요.",
    ),
    "outbox_line": (
        "{state}: {name}, {medium} to {address}, by {agent}, {at}; {id}",
        "{state}: {name}, {medium}, 받는 곳 {address}, {agent}, {at}; {id}",
    ),
    "outbox_empty": ("The outbox is empty: everything has arrived.", "보낼 것이 없음: 모두 도착함."),
    # what was done
    "noted": ("Noted; {id}", "메모함; {id}"),
    "assigned_to": ("Assigned to {agent}; {id}", "{agent} 담당; {id}"),
    "assigned_nobody": ("Assigned to nobody; {id}", "담당 해제; {id}"),
    "closed": ("Closed; {id}", "종료함; {id}"),
    "reopened": ("Open again; {id}", "다시 엶; {id}"),
    "added": ("Added {name}; {id}", "{name} 추가함; {id}"),
    "renamed": ("Renamed; {id}", "이름 바꿈; {id}"),
    "linked": ("Linked {address}; {id}", "{address} 연결함; {id}"),
    "unlinked": ("Unlinked {address}; {id}", "{address} 연결 끊음; {id}"),
    "merged": ("One person now; {id}", "한 사람으로 합침; {id}"),
    "undo_merge": ("To undo: {command}", "되돌리기: {command}"),
    "unmerged": ("Two people again; {id}", "다시 두 사람; {id}"),
    "split": ("Two people now; the other one is {id}", "두 사람으로 나눔; 다른 사람은 {id}"),
    "unsplit": ("One person again; {id}", "다시 한 사람; {id}"),
    "wish": ("Prefers {medium}; {id}", "선호 채널 {medium}; {id}"),
    "no_wish": ("No wish any more; {id}", "선호 채널 없음; {id}"),
    "for_purpose": ("{what} (for {purpose})", "{what} ({purpose} 용)"),
    "out_of": ("Opted out: {medium} ({scope}); {id}", "수신거부: {medium} ({scope}); {id}"),
    "in_to": ("Opted in: {medium} ({scope}); {id}", "수신동의: {medium} ({scope}); {id}"),
    "suggestion": (
        "{name} may be {other} ({address}): {why}; {id}",
        "{name}, {other}({address})와 같은 사람일 수 있음: {why}; {id}",
    ),
    "wish_seen": (
        "{name} may want {medium}: “{words}” ({source}, {day}); {id}",
        "{name} {medium} 희망일 수 있음: “{words}” ({day} {source}); {id}",
    ),
    "may_want": (
        "May want {medium}: “{words}” ({source}, {day}); agentconsole suggestion accept {id}",
        "{medium} 희망일 수 있음: “{words}” ({day} {source}); agentconsole suggestion accept {id}",
    ),
    "wish_taken": ("Taken: replies go there first.", "반영함: 답장은 이 채널부터."),
    "suggestion_refused": ("Refused; it is not suggested again.", "거절함. 다시 제안하지 않음."),
    "no_suggestions": ("No suggestions.", "제안 없음."),
    # care
    "erased": (
        "Erased: {entries} entries, {files} files, {drafts} drafts; {id}",
        "완전 삭제함: 기록 {entries}, 파일 {files}, 임시 글 {drafts}; {id}",
    ),
    "erased_left": ("What this cannot reach:", "여기서 지울 수 없는 것:"),
    "would_erase": (
        "Would be erased: {name}; {id}: {entries} entries, {files} files.",
        "삭제될 것: {name}; {id}: 기록 {entries}, 파일 {files}.",
    ),
    "would_erase_address": ("  {address}", "  {address}"),
    "add_yes": ("Nothing was done. To do it, for good: --yes", "아무것도 하지 않음. 되돌릴 수 없음, 실행하려면: --yes"),
    "would_redact": ("Would be removed from {id}: {text}", "{id}에서 삭제될 내용: {text}"),
    "redacted": ("Removed; {id}", "삭제함; {id}"),
    "redacted_left": (
        "The mailbox or provider, and backups made before now, still hold it.",
        "메일함이나 제공사, 지금까지의 백업에는 남아 있음.",
    ),
    "removed": ("[{what}]", "[{what}]"),
    "accepted": ("In use again; {id}", "다시 사용함; {id}"),
    "accepted_look": (
        "Replies that may have left are held: agentconsole outbox list. What waited for this customer is filed now.",
        "나갔을 수 있는 답장은 멈춰 둠: agentconsole outbox list. 기다리던 글은 지금 정리됨.",
    ),
    "exporting": ("{n} entries …", "기록 {n}건 …"),
    "exported": (
        "Exported to {folder}: {entries} entries, {files} files, {missing} missing.",
        "{folder}에 내보냄: 기록 {entries}, 파일 {files}, 빠진 것 {missing}.",
    ),
    "importing": (
        "{n} of {total}: {new} new, {known} known, {unreadable} unreadable",
        "{total} 중 {n}: 새 글 {new}, 아는 글 {known}, 읽을 수 없음 {unreadable}",
    ),
    "imported": (
        "Imported {n} of {total}: {new} new, {known} known, {unreadable} unreadable.",
        "{total} 중 {n} 가져옴: 새 글 {new}, 아는 글 {known}, 읽을 수 없음 {unreadable}.",
    ),
    "imported_waiting": (
        "{n} are kept and cannot be filed now; see: agentconsole status",
        "{n}건은 보관됐으나 지금 정리할 수 없음: agentconsole status",
    ),
    "imported_unread": (
        "Files that cannot be read and were left out: {n}.",
        "읽을 수 없어 뺀 파일: {n}.",
    ),
    "imported_unreadable": (
        "What could not be understood is kept as it came: agentconsole show {who}",
        "해석할 수 없는 것은 그대로 보관됨: agentconsole show {who}",
    ),
    "import_unread": ("Left out, {where}: {why}", "뺌, {where}: {why}"),
    "import_interrupted": (
        "What was taken so far stays; the same command goes on from there, and takes nothing twice.",
        "지금까지 가져온 것은 남음. 같은 명령으로 이어서 하며 두 번 가져오지 않음.",
    ),
    "people_imported": (
        "{total} rows: {new} customers new, {known} known, {bad} not taken.",
        "{total}줄: 새 고객 {new}, 아는 고객 {known}, 못 가져옴 {bad}.",
    ),
    "bad_row": ("Line {line}: {why}", "{line}번째 줄: {why}"),
    "transcript_title": ("History of {name}", "{name} 기록"),
    "transcript_about": (
        "Exported {at} by {agent}. Texts are as they were written; files lie in attachments.",
        "{at} {agent} 내보냄. 글은 쓰인 그대로이며 파일은 attachments에 있음.",
    ),
    "transcript_file": ("File: {name}", "파일: {name}"),
    "transcript_missing": ("File that was not kept: {name}", "보관되지 않은 파일: {name}"),
    # the hub
    "hub": (
        "Hub of profile {profile}, version {version}, process {pid}.",
        "허브: 프로필 {profile}, 버전 {version}, 프로세스 {pid}.",
    ),
    "attention": ("Attention: {why}", "주의: {why}"),
    "account": ("Account {name} ({kind}): {state}", "계정 {name} ({kind}): {state}"),
    "last_answer": ("last answer {at}", "마지막 응답 {at}"),
    "next_try": ("next try {at}", "다음 시도 {at}"),
    "not_affected": ("Not affected: {accounts}", "영향 없음: {accounts}"),
    "read_only": ("read only", "읽기 전용"),
    "outbox": (
        "Outbox: {queued} queued, {sending} sending, {uncertain} uncertain, {failed} failed",
        "보낼 편지함: 대기 {queued}, 발송 중 {sending}, 불확실 {uncertain}, 실패 {failed}",
    ),
    "outbox_look": ("What waits, and why: agentconsole outbox list", "대기 중인 답장과 이유: agentconsole outbox list"),
    "spool": ("Spool: {waiting} waiting, {aside} set aside", "수신 대기: {waiting}, 따로 둠 {aside}"),
    "store": (
        "Store: {kind}, customers {customers}, entries {entries}",
        "저장소: {kind}, 고객 {customers}, 기록 {entries}",
    ),
    "backed_up": ("last backup {at}", "마지막 백업 {at}"),
    "never_backed_up": (
        "no backup yet: agentconsole store backup FOLDER",
        "백업 없음: agentconsole store backup FOLDER",
    ),
    "free": ("{mb} MB free", "여유 {mb} MB"),
    "damaged": (
        "{customer} is read only after damage; see: agentconsole store check",
        "{customer} 손상 후 읽기 전용: agentconsole store check",
    ),
    "damaged_shown": (
        "READ ONLY: the file is damaged ({why}), and not all of it may be here. See: agentconsole store check",
        "읽기 전용: 파일 손상({why}). 여기에 다 나오지 않을 수 있음. agentconsole store check",
    ),
    "would_erase_damaged": (
        "The file is damaged: what of it cannot be read is not counted here, and is erased too.",
        "파일 손상: 읽을 수 없는 것은 여기 세지 않았으나 함께 삭제됨.",
    ),
    "accepted_lost": (
        "What came in or was written after that is not in it. Mail can be brought back: agentconsole import",
        "그 뒤에 오거나 쓴 것은 들어 있지 않음. 메일은 다시 가져올 수 있음: agentconsole import",
    ),
    "attached": ("Attached: {agents}", "접속 중: {agents}"),
    "hub_gone": (
        "The hub is gone. The reply stays queued and leaves when the hub runs again; do not send it twice.",
        "허브가 사라짐. 답장은 대기 중이며 허브가 다시 실행되면 나감. 두 번 보내지 마세요.",
    ),
    "no_hub": ("No hub runs.", "실행 중인 허브 없음."),
    "hub_ended": ("The hub (process {pid}) has ended.", "허브(프로세스 {pid})가 끝남."),
    "hub_again": ("The hub runs again (process {pid}).", "허브가 다시 실행됨(프로세스 {pid})."),
    "fetching": ("{account}: fetching", "{account}: 가져오는 중"),
    "fetched": ("{account}: {n} new", "{account}: 새 글 {n}"),
}

PHRASES: Final = {
    "en": {key: pair[0] for key, pair in (_BOTH | COMPOSE | WAITING | WORK).items()},
    "ko": {key: pair[1] for key, pair in (_BOTH | COMPOSE | WAITING | WORK).items()},
}
