"""The table of sizes and times in the documentation, a row per image, between two markers."""

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEAD = ["image", "size MB", "adds MB", "reached s", "painted s", "memory MB", "CPU s to there"]


def row(name, measured):
    values = [measured.get(key) for key in ("size_mb", "adds_mb", "reached_s", "painted_s", "memory_mib", "cpu_s")]
    return [f"`{name}`", *("–" if value is None else f"{value}" for value in values)]


def show(measured):
    """Prints the rows for people."""
    rows = [HEAD, *([cell.strip("`") for cell in row(name, values)] for name, values in measured.items())]
    widths = [max(len(cells[place]) for cells in rows) for place in range(len(HEAD))]
    for cells in rows:
        print("  ".join([cells[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:]))]))


def update(path, measured, order):
    """Puts the rows of what was measured into the file; rows of other images that exist stay."""
    with open(path) as file:
        text = file.read()
    head, rest = text.split(BEGIN)
    table, tail = rest.split(END)
    rows = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].startswith("`"):
            rows[cells[0].strip("`")] = cells
    rows.update({name: row(name, values) for name, values in measured.items()})
    lines = ["| " + " | ".join(HEAD) + " |", "|---" + "|---:" * (len(HEAD) - 1) + "|"]
    lines += ["| " + " | ".join(rows[name]) + " |" for name in order if name in rows]
    with open(path, "w") as file:
        file.write(head + BEGIN + "\n" + "\n".join(lines) + "\n" + END + tail)
