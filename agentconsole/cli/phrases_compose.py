"""What the commands about templates and files say, in English and Korean."""

from __future__ import annotations

from typing import Final

COMPOSE: Final[dict[str, tuple[str, str]]] = {
    "template_line": ("{name} ({languages}): {text}", "{name} ({languages}): {text}"),
    "template_words": ("also: {words}", "찾는 말: {words}"),
    "template_media": ("for: {media}", "채널: {media}"),
    "template_purpose": ("about: {purpose}", "용도: {purpose}"),
    "template_subject": ("Subject: {subject}", "제목: {subject}"),
    "template_unfilled": (
        "Not filled in: {names}. Give them with --var NAME=TEXT.",
        "채워지지 않음: {names}. --var 이름=내용 으로 주기.",
    ),
    "templates_none": ("There are no templates.", "템플릿 없음."),
    "templates_right": ("{n} templates, nothing wrong.", "템플릿 {n}개, 이상 없음."),
    "template_missing": ("{name}: no text in {language}.", "{name}: {language} 글 없음."),
    "template_subject_missing": ("{name}: no subject in {language}.", "{name}: {language} 제목 없음."),
    "attachment_line": ("{number}  {name} ({type}, {size})", "{number}  {name} ({type}, {size})"),
    "attachment_not_kept": (
        "{number}  {name} ({type}): only named, the channel gave no file",
        "{number}  {name} ({type}): 이름만 있음, 채널이 파일을 주지 않음",
    ),
    "attachment_of": ("{at}  {who}  {id}", "{at}  {who}  {id}"),
    "attachments_none": ("No files here.", "파일 없음."),
    "attachment_saved": ("Saved as {path}", "저장함: {path}"),
    "attachment_scp": ("To copy it to another computer: {line}", "다른 컴퓨터로 복사: {line}"),
    "attachment_cut": (
        "Only the beginning is shown; save the file for all of it.",
        "앞부분만 보임. 전체는 저장해서 보기.",
    ),
    "look.no_text": ("There is no text in {name}.", "{name}에 글 없음."),
    "look.damaged": (
        "{name} is damaged or not what it says; save it to look at it.",
        "{name} 손상됐거나 형식이 다름. 저장해서 보기.",
    ),
    "look.locked": ("{name} is locked with a password.", "{name} 암호로 잠김."),
    "look.no_library": (
        "Reading PDF needs a package: pip install 'agentconsole[preview]'. Saving works.",
        "PDF를 보려면 패키지 필요: pip install 'agentconsole[preview]'. 저장은 가능.",
    ),
    "look.too_large": (
        "{name} is too large to show as text; save it.",
        "{name} 너무 커서 글로 볼 수 없음. 저장해서 보기.",
    ),
    "look.too_slow": ("{name} takes too long to read; save it.", "{name} 읽는 데 너무 오래 걸림. 저장해서 보기."),
    "look.unknown": (
        "{name} is of a kind that is not shown as text; save it.",
        "{name} 글로 볼 수 없는 종류. 저장해서 보기.",
    ),
    "look.failed": ("{name} was too much for the reader; save it.", "{name} 읽지 못함. 저장해서 보기."),
}
