"""What an image must be before anybody starts it: who runs, what it says of itself, what it must not contain."""
import re
import stat
from datetime import datetime

from engine import files_of

LABELS = ["title", "description", "version", "source", "created", "base.name"]
# A whole key, not the words around one in a program that reads keys.
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\r?\n(?:[A-Za-z0-9+/=:,; -]*\r?\n)+?-----END")
SECRET_NAMES = re.compile(r"(^|/)(\.env|\.netrc|\.pgpass|\.git-credentials|id_(rsa|dsa|ecdsa|ed25519))$")
CACHES = re.compile(r"^var/(lib/apt/lists/(?!lock$|partial/?$|auxfiles/?$).|cache/apt/(archives/.*\.deb$|.*\.bin$))|^root/\.(cache|npm)/.")
LARGEST_KEY = 65536
PACKAGE_FILES = re.compile(r"^var/lib/dpkg/info/[^/]+\.list$")


def check(image, outcome):
    labels(image, outcome)
    if image.protocol:
        outcome.point("runs as user 1000", "" if image.user in ("1000", "1000:1000") else f"USER is '{image.user}'", image.user)
        outcome.point("has a health check", "" if image.health else "there is no HEALTHCHECK")
    contents(image, outcome)


def labels(image, outcome):
    missing = [name for name in LABELS if not image.labels.get(f"org.opencontainers.image.{name}")]
    broken = f"missing: {' '.join(missing)}" if missing else ""
    if not missing:
        try:
            datetime.strptime(image.labels["org.opencontainers.image.created"], "%Y-%m-%dT%H:%M:%SZ")
        except ValueError:
            broken = f"created is no time in UTC: {image.labels['org.opencontainers.image.created']}"
    outcome.point("says what it is (labels)", broken, image.labels.get("org.opencontainers.image.version"))


def contents(image, outcome):
    privileged, secrets, caches, opened, public = [], [], [], [], set()
    manifest = installed = None
    for member, read in files_of(image.tag):
        name = member.name.removeprefix("./")
        if CACHES.search(name):
            caches.append(name)
        if SECRET_NAMES.search(name):
            secrets.append(name)
        if not member.isfile():
            continue
        capability = any(key.endswith("security.capability") for key in member.pax_headers)
        if member.mode & (stat.S_ISUID | stat.S_ISGID) or capability:
            privileged.append(name)
        if name == "usr/share/berth/manifest":
            manifest = read().decode()
        elif name == "var/lib/dpkg/status":
            installed = read().decode()
        elif name == "etc/shadow":
            opened = [line for line in read().decode().splitlines() if line.split(":")[1][:1] not in ("!", "*")]
        elif PACKAGE_FILES.match(name):
            public.update(line.lstrip("/") for line in read().decode().splitlines())
        elif 0 < member.size <= LARGEST_KEY and PRIVATE_KEY.search(read()):
            secrets.append(name)
    outcome.point("no setuid or setgid program, no file capability", " ".join(privileged[:5]))
    # What a package brings everybody can read in the distribution: a library's test keys, say.
    outcome.point("no secret", " ".join([name for name in secrets if name not in public][:5]))
    outcome.point("no account with a password or without one", " ".join(line.split(":")[0] for line in opened))
    outcome.point("no package cache", " ".join(caches[:5]))
    packages = installed_packages(installed or "")
    broken = "" if manifest and set(manifest.splitlines()) == packages else \
        "/usr/share/berth/manifest is missing or not what is installed; is berth-seal the last step?"
    outcome.point("its package manifest is true", broken, f"{len(packages)} packages")


def installed_packages(status):
    packages = set()
    for paragraph in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if fields.get("Status", "").endswith(" ok installed"):
            packages.add(f"{fields['Package']} {fields['Version']} {fields['Architecture']}")
    return packages
