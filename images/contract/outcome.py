"""What a check found: points of the contract that hold, and points that do not, with the reason."""
import sys


class Outcome:
    """The points of one image as they are checked, printed at once, and what was measured on the way."""

    def __init__(self, image, quiet=False):
        self.image, self.quiet = image, quiet
        self.points, self.measured = [], {}

    def point(self, name, broken, fine=""):
        """Notes a point: `broken` says what is wrong (empty: nothing), `fine` what was seen."""
        self.points.append({"point": name, "holds": not broken, "seen": str(broken or fine)})
        if not self.quiet:
            print(f"{self.image}: {'BROKEN' if broken else 'holds '}  {name}: {broken or fine or 'yes'}",
                  file=sys.stderr if broken else sys.stdout, flush=True)

    def limit(self, name, seconds, limit_s):
        """Notes a point that is a time with a limit."""
        took = f"{seconds:.2f} s"
        self.point(f"{name} within {limit_s:g} s", f"took {took}" if seconds > limit_s else "", took)

    def holds(self):
        return all(point["holds"] for point in self.points)

    def as_json(self):
        return {"image": self.image, "holds": self.holds(), "measured": self.measured, "points": self.points}
