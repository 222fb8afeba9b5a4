"""What an image must do when it runs as the gateway runs it: confined, quickly, as it is told, and to an end."""
import http.client
import time

from engine import Container, EngineError, Volume, patience, status_of
from rfb import NoScreen, Screen, connect

GREETING_S, ANSWER_S, PAINTED_S, ENDED_S, HEALTHY_S = 1, 5, 3, 5, 15
# How long something is waited for before it counts as never.
NEVER_S = 30
TOLD = {"GEOMETRY": "1024x700", "TITLE": "Élodie's course", "TZ": "Asia/Tokyo", "LANG": "fr_FR.UTF-8", "KEYBOARD": "fr:bepo"}
NONSENSE = {"GEOMETRY": "huge", "TITLE": "two\nlines", "TZ": "Mars/Olympus", "LANG": "xx_YY.UTF-8", "KEYBOARD": "no such"}
KEPT = "kept by the contract"


def check(image, outcome, picture=None):
    """The points of a running image; each start proves several."""
    with Volume() as home:
        first_start(image, outcome, home, picture)
        newer_image(image, outcome, home)
    with Volume(size_mib=64) as home:
        nonsense(image, outcome, home)
    with Volume(size_mib=8) as home:
        full_home(image, outcome, home)


class Seen:
    """A container that has been reached: greeted or answered, and painted if it has a screen."""

    def __init__(self, container):
        image, self.screen, self.painted_s = container.image, None, None
        begun = container.start()
        deadline = begun + NEVER_S * patience()
        try:
            if image.protocol == "rfb":
                self.screen = Screen(container.address(), image.port, deadline)
                self.reached_s = self.screen.greeted - begun
                self.painted_s = self.screen.wait_painted(deadline, image.colours) - begun
            else:
                self.reached_s = answered(container, deadline) - begun
        except NoScreen as error:
            raise NoScreen(f"{error}; its log ends: {container.logs()[-600:].strip()}") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.screen:
            self.screen.socket.close()


def answered(container, deadline):
    """When the service gave a first answer that is no server error."""
    image = container.image
    while True:
        connect(container.address(), image.port, deadline).close()
        try:
            connection = http.client.HTTPConnection(container.address(), image.port, timeout=5)
            connection.request("GET", image.path)
            if connection.getresponse().status < 500:
                return time.monotonic()
        except (OSError, http.client.HTTPException):
            pass
        if time.monotonic() > deadline:
            raise NoScreen(f"no answer but errors on port {image.port}")
        time.sleep(0.02)


def first_start(image, outcome, home, picture):
    environment = [word for name, value in TOLD.items() for word in ("--env", f"{name}={value}")]
    with Container(image, *environment, "--health-interval", "1s", home=home, read_only=image.read_only) as container:
        with Seen(container) as seen:
            reached(image, outcome, container, seen)
            confined(outcome, container)
            told(image, outcome, container, seen)
            seeded(image, outcome, container)
            healthy(outcome, container)
            outcome.measured["memory_mib"] = round(container.memory_mib())
            if picture and seen.screen:
                seen.screen.save(picture)
            typed = keep_files(image, outcome, container, seen)
            ended(outcome, container)
        again(image, outcome, container, typed)


def reached(image, outcome, container, seen):
    outcome.measured["cpu_s"] = round(container.cpu_seconds() or 0, 2)
    outcome.measured["reached_s"] = round(seen.reached_s, 2)
    root = "read-only root" if image.read_only else "writable root"
    if seen.screen:
        outcome.limit(f"greets by RFB ({root})", seen.reached_s, GREETING_S * patience())
        outcome.limit("paints its screen", seen.painted_s, PAINTED_S * patience())
        outcome.measured["painted_s"] = round(seen.painted_s, 2)
        outcome.point("asks for the session's password", "" if seen.screen.kinds == [2] else f"offers {seen.screen.kinds}")
    else:
        outcome.limit(f"answers by HTTP ({root})", seen.reached_s, ANSWER_S * patience())


def confined(outcome, container):
    """What the kernel says of every process."""
    broken = []
    for process, command in container.processes().items():
        status = status_of(process)
        if status is None:
            continue
        if set(status["Uid"].split()) != {"1000"} or set(status["Gid"].split()) != {"1000"}:
            broken.append(f"{command[:30]} is user {status['Uid'].split()[0]}")
        if any(int(status[kind], 16) for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb")) or status["NoNewPrivs"] != "1":
            broken.append(f"{command[:30]} has rights")
    outcome.point("every process is user 1000 without a capability", "; ".join(broken[:4]))


def told(image, outcome, container, seen):
    inside = {"time zone": (["date", "+%Z"], "JST"), "language": (["locale", "charmap"], "UTF-8")}
    for name, (words, expected) in inside.items():
        got = container.run(*words)
        outcome.point(f"knows the {name} it is told", "" if got == expected else f"{words[0]} says {got!r}", got)
    if "setlocale" in container.logs():
        outcome.point("starts in the language it is told", container.logs()[-200:])
    if not seen.screen or image.labels.get("org.berth.screen") == "guest":
        return
    size = f"{seen.screen.width}x{seen.screen.height}"
    outcome.point("its screen has the size it is told", "" if size == TOLD["GEOMETRY"] else f"it is {size}", size)
    title = seen.screen.name
    outcome.point("its screen has the title it is told", "" if title == TOLD["TITLE"] else f"it is {title!r}", title)
    layout = within(5, lambda: (words := container.run("setxkbmap", "-query", env=["DISPLAY=:0"]).split()) and "bepo" in words and words)
    outcome.point("its keyboard has the layout it is told", "" if layout else container.run("setxkbmap", "-query", env=["DISPLAY=:0"]))


def seeded(image, outcome, container):
    seed = container.run("cat", "/usr/share/berth/seed").splitlines()
    owners = container.run("find", image.home, "-mindepth", "1", "-printf", "%U %P\n").splitlines()
    there = {line.split(" ", 1)[1] for line in owners}
    missing = [path for path in seed if path not in there]
    foreign = [line for line in owners if not line.startswith("1000 ")]
    broken = "; ".join([f"missing: {path}" for path in missing[:3]] + [f"not the user's: {line}" for line in foreign[:3]])
    outcome.point("seeds a new home", broken, f"{len(seed)} entries")


def healthy(outcome, container):
    state = within(HEALTHY_S, lambda: container.look("{{.State.Health.Status}}") == "healthy")
    outcome.point("becomes healthy", "" if state else container.look("{{json .State.Health}}")[:300])


def keep_files(image, outcome, container, seen):
    """Leaves a file in the home, and a line in the history of a terminal if there is one; true when it was typed."""
    container.run("sh", "-c", f"echo {KEPT} >{image.home}/kept")
    if not seen.screen or not has(container, "xfce4-terminal"):
        return False
    container.run("sh", "-c", "xfce4-terminal >/dev/null 2>&1 &",
                  env=["DISPLAY=:0", "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus", "XDG_RUNTIME_DIR=/run/user/1000"])
    shell = within(NEVER_S, lambda: any(words.split()[0].endswith("bash") for words in container.processes().values()
                                        if "berth" not in words))
    # Keys pressed before the window has the focus are lost; each try is harmless.
    arrived = shell and within(NEVER_S, lambda: seen.screen.type("echo $RANDOM >typed\n") or
                               within(1, lambda: has(container, f"{image.home}/typed", "-s")))
    outcome.point("takes keys in its terminal", "" if arrived else "what was typed never arrived")
    return bool(arrived)


def ended(outcome, container):
    took, code = container.stop()
    outcome.limit("ends after SIGTERM", took, ENDED_S * patience())
    outcome.point("ends well", "" if code in (0, 143) else f"exit code {code}; its log ends: {container.logs()[-300:]}", f"exit code {code}")


def again(image, outcome, container, typed):
    with Seen(container) as seen:
        outcome.point("starts again", "", f"{seen.reached_s:.2f} s")
        outcome.point("keeps its files", "" if kept(image, container) else "a file in the home is gone")
        if typed:
            history = container.run("sh", "-c", f"cat {image.home}/.bash_history || true")
            outcome.point("keeps what a session saves at its end (shell history)", "" if "$RANDOM >typed" in history else "nothing there")


def newer_image(image, outcome, home):
    """The home outlives its container: a file of it, and one that its owner deleted stays away."""
    container = Container(image, home=home)
    with container, Seen(container) as seen:
        outcome.point("keeps the home in another container, with a writable root", "" if kept(image, container) else "a file is gone",
                      f"{seen.reached_s:.2f} s")


def nonsense(image, outcome, home):
    """Values that cannot be used, and a home that another image made."""
    environment = [word for name, value in NONSENSE.items() for word in ("--env", f"{name}={value}")]
    with holder(image, home) as before:
        before.run("sh", "-c", f"echo {KEPT} >{image.home}/.profile")
        before.run("sh", "-c", f"echo {KEPT} >{image.home}/kept")
        try:
            container = Container(image, *environment, home=home)
            with container, Seen(container):
                outcome.point("starts in spite of nonsense in its environment", "")
                mine = container.run("cat", f"{image.home}/.profile") == KEPT
                outcome.point("overwrites nothing in a home that is not new", "" if mine else "~/.profile was overwritten")
                seeded(image, outcome, container)
        except NoScreen as error:
            outcome.point("starts in spite of nonsense in its environment", str(error))


def full_home(image, outcome, home):
    """Nobody is locked out by a full home; a desktop says so."""
    with holder(image, home) as before:
        before.run("sh", "-c", f"dd if=/dev/zero of={image.home}/big bs=64k 2>/dev/null; dd if=/dev/zero of={image.home}/rest bs=1 2>/dev/null; true")
        left = before.run("df", "--output=avail", image.home).split()[-1]
        try:
            container = Container(image, home=home, read_only=image.read_only)
            with container, Seen(container):
                outcome.point("opens with a full home", "" if left == "0" else f"the home was not full: {left} KiB left")
                if has(container, "berth-home-notice"):
                    notice = within(NEVER_S, lambda: any(words.startswith("yad ") for words in container.processes().values()))
                    outcome.point("says that the home is full", "" if notice else "there was no notice")
        except NoScreen as error:
            outcome.point("opens with a full home", str(error))


def holder(image, home):
    """A container that keeps a small home alive and can fill it; the image's own start is not run."""
    container = Container(image, "--entrypoint", "sleep", "--mount", f"type=volume,source={home},destination={image.home},volume-nocopy",
                          command=["600"])
    container.start()
    return container


def kept(image, container):
    look = container.run("sh", "-c", f"cat {image.home}/kept; stat -c %u {image.home}/kept").split("\n")
    return look == [KEPT, "1000"]


def has(container, what, test="command"):
    words = f"command -v {what}" if test == "command" else f"test {test} {what}"
    try:
        container.run("sh", "-c", words)
        return True
    except EngineError:
        return False


def within(seconds, probe):
    """What `probe` gives as soon as it gives something; None when the time is up."""
    deadline = time.monotonic() + seconds * patience()
    while time.monotonic() < deadline:
        if found := probe():
            return found
        time.sleep(0.05)
    return None
