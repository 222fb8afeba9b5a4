"""Containers as the gateway makes them, by the docker command."""
import io
import json
import os
import re
import subprocess
import tarfile
import time
import uuid

from des import obfuscated
from rfb import PASSWORD

HARDENED = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--init", "--shm-size", "256m", "--pids-limit", "512",
            "--cpus", "2"]
# What the gateway makes writable where the root file system is not. /etc/berth must take a file before the start.
READ_ONLY = ["--read-only", "--tmpfs", "/tmp:exec,mode=1777", "--tmpfs", "/var/tmp:mode=1777", "--tmpfs", "/run:mode=0755",
             "--tmpfs", "/run/user/1000:uid=1000,gid=1000,mode=0700", "--volume", "/etc/berth"]


class EngineError(Exception):
    """The docker command said no."""


def docker(*words, stdin=None):
    done = subprocess.run(["docker", *words], input=stdin, capture_output=True)
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise EngineError(f"docker {' '.join(words)[:200]}: exit code {done.returncode} {said[-300:]}")
    return done.stdout.decode(errors="replace").strip()


class Image:
    """An image and what its labels declare."""

    def __init__(self, name, tag):
        self.name, self.tag = name, tag
        look = json.loads(docker("image", "inspect", tag))[0]
        config = look["Config"]
        self.id, self.size, self.user = look["Id"], look["Size"], config["User"]
        self.health = config.get("Healthcheck")
        self.labels = config.get("Labels") or {}
        # Without one the image is a layer for others to stand on.
        self.protocol = self.labels.get("org.berth.protocol")
        self.port = int(self.labels.get("org.berth.port", 5900 if self.protocol == "rfb" else 8080))
        self.path = self.labels.get("org.berth.path", "/")
        self.read_only = self.labels.get("org.berth.read-only") == "true"
        self.memory = self.labels.get("org.berth.memory", "2g")
        self.colours = int(self.labels.get("org.berth.colours", 3))
        self.home = self.labels.get("org.berth.home", "/home/user")
        self.run = self.labels.get("org.berth.run", "").split()


class Volume:
    """A named volume, gone at the end of its block. With a size in MiB it is that small."""

    def __init__(self, size_mib=None):
        self.name = f"berth-contract-{uuid.uuid4().hex[:12]}"
        options = []
        if size_mib:
            options = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", f"o=size={size_mib}m,uid=1000,gid=1000,mode=0700"]
        docker("volume", "create", *options, self.name)

    def __enter__(self):
        return self.name

    def __exit__(self, *_):
        docker("volume", "rm", "--force", self.name)


class Container:
    """A container, gone at the end of its block."""

    def __init__(self, image, *options, home=None, read_only=False, command=()):
        self.image = image
        words = [*HARDENED, "--memory", image.memory, *image.run]
        if read_only:
            words += READ_ONLY
        if home:
            words += ["--volume", f"{home}:{image.home}"]
        elif read_only:
            words += ["--volume", image.home]
        self.id = docker("create", *words, *options, image.tag, *command)
        if image.protocol == "rfb":
            self.give_password(read_only)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        docker("rm", "--force", "--volumes", self.id)

    def give_password(self, read_only):
        """Puts the obfuscated password where the image looks for it, as the gateway does: a tar file over the API."""
        secret = obfuscated(PASSWORD)
        bundle = io.BytesIO()
        with tarfile.open(fileobj=bundle, mode="w") as tar:
            # A read-only root file system takes files only into a volume.
            where, folder = ("/etc/berth", "") if read_only else ("/", "etc/berth/")
            entry = tarfile.TarInfo(f"{folder}vncpasswd")
            entry.size, entry.mode, entry.uid, entry.gid = len(secret), 0o400, 1000, 1000
            if folder:
                above = tarfile.TarInfo(folder)
                above.type, above.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(above)
            tar.addfile(entry, io.BytesIO(secret))
        docker("cp", "-", f"{self.id}:{where}", stdin=bundle.getvalue())

    def start(self):
        """Starts it; the time is the one before."""
        begun = time.monotonic()
        docker("start", self.id)
        return begun

    def stop(self, grace_s=20):
        """Sends SIGTERM and waits; how many seconds it took, and the exit code (137 after the grace)."""
        begun = time.monotonic()
        docker("stop", "--time", str(grace_s), self.id)
        return time.monotonic() - begun, int(self.look("{{.State.ExitCode}}"))

    def run(self, *words, env=(), user="1000:1000"):
        """The output of a command inside."""
        options = [word for pair in env for word in ("--env", pair)]
        return docker("exec", "--user", user, *options, self.id, *words)

    def look(self, template):
        return docker("inspect", "--format", template, self.id)

    def address(self):
        return self.look("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")

    def logs(self):
        done = subprocess.run(["docker", "logs", self.id], capture_output=True)
        return (done.stdout + done.stderr).decode(errors="replace")

    def processes(self):
        """Process ids on this machine and the commands they run."""
        lines = docker("top", self.id, "-eo", "pid,args").splitlines()[1:]
        return {int(line.split()[0]): line.split(None, 1)[1] for line in lines}

    def cpu_seconds(self):
        """Processor time so far, from either cgroup generation."""
        whole = self.look("{{.Id}}")
        try:
            with open(f"/sys/fs/cgroup/cpuacct/docker/{whole}/cpuacct.usage") as file:
                return int(file.read()) / 1e9
        except OSError:
            pass
        try:
            with open(f"/sys/fs/cgroup/system.slice/docker-{whole}.scope/cpu.stat") as file:
                return int(file.readline().split()[1]) / 1e6
        except OSError:
            return None

    def memory_mib(self):
        """Memory in use as the engine counts it, without the cache."""
        used = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", self.id).split("/")[0].strip()
        number, unit = re.fullmatch(r"([\d.]+)([A-Za-z]+)", used).groups()
        return float(number) * {"B": 1 / 1048576, "KiB": 1 / 1024, "MiB": 1, "GiB": 1024}[unit]


def files_of(tag):
    """Every file of an image, as the members of its export: (member, function that reads it)."""
    container = docker("create", tag, "true")
    try:
        export = subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE)
        with tarfile.open(fileobj=export.stdout, mode="r|") as tar:
            for member in tar:
                yield member, lambda member=member: tar.extractfile(member).read()
        export.wait()
    finally:
        docker("rm", "--volumes", container)


def status_of(process):
    """The fields of /proc/<pid>/status that say what a process may do; None when it has ended."""
    try:
        with open(f"/proc/{process}/status") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except OSError:
        return None


def patience():
    """By how much the time limits are stretched: 1 on a machine that has nothing else to do."""
    return float(os.environ.get("BERTH_CONTRACT_PATIENCE", "1"))
