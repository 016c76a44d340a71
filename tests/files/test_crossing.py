"""Files to and from the hub: what can be attached, what is offered, and where things are saved."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from agentconsole.desk import FILE_PART_BYTES, LARGEST_FILE, Compose
from agentconsole.domain.model import Attachment, BlobId, CustomerId
from agentconsole.errors import NotFound
from agentconsole.files import incoming, outgoing
from tests.fakes import paper
from tests.hub.conftest import EMAIL, World, running


@pytest.fixture
async def world():
    async with running() as found:
        yield found


async def emily(world: World) -> CustomerId:
    world.mail.put(paper.message("m1", EMAIL, "hello", sender_name="Emily"))
    return await world.customer(EMAIL)


# -- out ----------------------------------------------------------------------------------------------------


async def test_a_file_goes_to_the_hub_in_parts_and_says_how_far_it_is(world: World, tmp_path: Path):
    customer = await emily(world)
    data = os.urandom(FILE_PART_BYTES * 2 + 7)
    (tmp_path / "plan.pdf").write_bytes(data)
    told: list[tuple[int, int]] = []
    kept = await outgoing.send(
        world.desk, world.who, "up", customer, tmp_path / "plan.pdf", lambda done, size: told.append((done, size))
    )
    assert (kept.name, kept.type, kept.size) == ("plan.pdf", "application/pdf", len(data))
    assert told == [(FILE_PART_BYTES, len(data)), (FILE_PART_BYTES * 2, len(data)), (len(data), len(data))]
    assert b"".join([p async for p in incoming.parts(world.desk, world.who, customer, kept)]) == data


async def test_an_empty_file_can_be_attached(world: World, tmp_path: Path):
    customer = await emily(world)
    (tmp_path / "empty.txt").touch()
    kept = await outgoing.send(world.desk, world.who, "up", customer, tmp_path / "empty.txt")
    assert kept.size == 0
    await world.desk.reply(world.who, "r", Compose(customer, "Here", attachments=(kept,)))


def _loop(folder: Path) -> Path:
    (folder / "a").symlink_to(folder / "b")
    (folder / "b").symlink_to(folder / "a")
    return folder / "a"


def _fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def _large(folder: Path) -> Path:
    with (folder / "film").open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    return folder / "film"


def _socket(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(folder / "s"))
    return folder / "s"


@pytest.mark.parametrize(
    ("why", "make"),
    [
        ("missing", lambda folder: folder / "nothing"),
        ("missing", lambda folder: folder / ("x" * 300)),
        ("missing", lambda folder: folder / "nul\0l"),
        ("folder", lambda folder: folder),
        ("special", _fifo),
        ("loop", _loop),
        ("too_large", _large),
        ("special", lambda _folder: Path("/dev/null")),
        ("failed", _socket),
    ],
)
def test_what_is_no_file_is_told_and_makes_nobody_wait(tmp_path: Path, why: str, make):
    with pytest.raises(outgoing.Unusable) as caught:
        outgoing.opened(make(tmp_path))
    assert caught.value.why == why
    assert outgoing.sentence(caught.value)


def test_what_may_not_be_read_is_told():
    assert outgoing.unusable(PermissionError(13, "Permission denied"), "x").why == "unreadable"


async def test_a_file_that_shrinks_while_it_is_read_is_not_sent(world: World, tmp_path: Path):
    customer = await emily(world)
    path = tmp_path / "log"
    path.write_bytes(bytes(FILE_PART_BYTES * 2))

    def shrink(_done: int, _size: int) -> None:
        os.truncate(path, 10)

    with pytest.raises(outgoing.Unusable) as caught:
        await outgoing.send(world.desk, world.who, "up", customer, path, shrink)
    assert caught.value.why == "changed"


def test_the_drop_folder_is_made_and_offered_newest_first(tmp_path: Path):
    folder = outgoing.drop_folder(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for number, name in enumerate(("old.pdf", "new.pdf", "middle.txt")):
        (folder / name).write_bytes(bytes(number))
        os.utime(folder / name, (0, {"old.pdf": 1, "middle.txt": 2, "new.pdf": 3}[name]))
    (folder / "inner").mkdir()
    assert [one.path for one in outgoing.offered("", folder)] == ["new.pdf", "middle.txt", "old.pdf"]
    assert [one.path for one in outgoing.offered("PDF", folder)] == ["new.pdf", "old.pdf"]
    assert outgoing.full_path("new.pdf", folder) == folder / "new.pdf"


def test_a_path_is_completed_folders_first_and_hidden_ones_only_when_asked_for(tmp_path: Path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "data.txt").write_text("x")
    (tmp_path / ".secret").write_text("x")
    _loop(tmp_path)
    found = outgoing.offered(f"{tmp_path}/d", tmp_path)
    assert [(Path(one.path).name, one.size) for one in found] == [("docs", -1), ("data.txt", 1)]
    assert [one.shown for one in outgoing.offered(f"{tmp_path}/", tmp_path)] == ["docs/", "data.txt"]
    assert [one.shown for one in outgoing.offered(f"{tmp_path}/.s", tmp_path)] == [".secret"]
    assert outgoing.offered(f"{tmp_path}/nowhere/x", tmp_path) == []


def test_the_scp_line_names_how_this_computer_is_reached():
    environ = {"SSH_CONNECTION": "192.0.2.7 51000 198.51.100.4 22", "USER": "mina"}
    assert outgoing.scp_line(environ) == "scp FILE mina@198.51.100.4:agentconsole/outgoing/"
    six = {"SSH_CONNECTION": "::1 51000 2001:db8::4 22", "USER": "mina"}
    assert outgoing.scp_line(six) == "scp FILE mina@[2001:db8::4]:agentconsole/outgoing/"
    assert os.uname().nodename in outgoing.scp_line({})


# -- in -----------------------------------------------------------------------------------------------------


async def kept(world: World, customer: CustomerId, name: str, data: bytes) -> Attachment:
    found = await world.desk.attach(world.who, customer, "x", "text/plain", data)
    return Attachment(name, "text/plain", len(data), found.blob)


async def test_saving_writes_a_private_file_and_never_over_another(world: World, tmp_path: Path):
    customer = await emily(world)
    one = await kept(world, customer, "../../label.pdf", b"one")
    folder = tmp_path / "in" / "deep"
    first = await incoming.save(world.desk, world.who, customer, one, folder)
    second = await incoming.save(world.desk, world.who, customer, one, folder)
    assert (first, second) == (folder / "label.pdf", folder / "label (2).pdf")
    assert first.read_bytes() == b"one"
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_link_that_lies_there_is_not_followed(world: World, tmp_path: Path):
    customer = await emily(world)
    (tmp_path / "label.pdf").symlink_to(tmp_path / "elsewhere")
    saved = await incoming.save(
        world.desk, world.who, customer, await kept(world, customer, "label.pdf", b"x"), tmp_path
    )
    assert saved.name == "label (2).pdf"
    assert not (tmp_path / "elsewhere").exists()


async def test_what_the_hub_did_not_keep_leaves_nothing_behind(world: World, tmp_path: Path):
    customer = await emily(world)
    gone = Attachment("label.pdf", "application/pdf", 5, BlobId("0" * 64))
    with pytest.raises(NotFound):
        await incoming.save(world.desk, world.who, customer, gone, tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_is_a_file_is_told(world: World, tmp_path: Path):
    customer = await emily(world)
    (tmp_path / "f").touch()
    for folder in (tmp_path / "f", tmp_path / "f" / "g"):
        with pytest.raises(outgoing.Unusable):
            await incoming.save(world.desk, world.who, customer, await kept(world, customer, "a", b"x"), folder)


def test_folders_and_the_line_to_copy(tmp_path: Path):
    assert incoming.folder_for("", tmp_path) == tmp_path / "agentconsole/incoming"
    assert incoming.folder_for("here", tmp_path) == tmp_path / "here"
    assert incoming.folder_for("/x y", tmp_path) == Path("/x y")
    environ = {"SSH_CONNECTION": "a 1 198.51.100.4 22", "USER": "mina"}
    assert (
        incoming.scp_line(Path("/home/mina/it's.pdf"), environ) == "scp 'mina@198.51.100.4:/home/mina/it'\\''s.pdf' ."
    )
