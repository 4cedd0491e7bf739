"""A good file, and what people, programs and cables do to it."""

from hypothesis import strategies as st

HEADER = b"number,account,amount,due_date,line_amount,line_text,disputed\r\n"
GOOD = HEADER + b"".join(
    line
    for at in range(12)
    for line in (
        b"F%d,A%d,%d.50,2026-02-%02d,%d.00,Broadband,no\r\n" % (at, at % 5, at + 100, at + 1, at + 90),
        b'F%d,A%d,%d.50,2026-02-%02d,10.50,"TV, films",no\r\n' % (at, at % 5, at + 100, at + 1),
    )
)
_PIECES = (
    b"\x00", b"\xff", b"\xe6\xf8\xe5", "æøå".encode(), b'"', b'""', b"\n", b"\r", b"\r\n", b",", b";", b"\t", b"-",
    b"+", b" ", b".", b"e9", b"NaN", b"=1+1", b"99999999999999999999", b"\xe2\x80\xa8", b"\xed\xa0\x80",
    b"\xef\xbb\xbf", b"2026-02-30", b"0000-00-00", b"\x1a", b"yes", b"'", b"{}", b"%s",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, good: bytes = GOOD) -> bytes:
    """The good file after a few accidents: bytes put in, taken out or repeated, lines lost, doubled or moved."""
    content = good
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(content)))
        end = draw(st.integers(at, min(len(content), at + 60)))
        accident = draw(st.sampled_from(("insert", "replace", "delete", "repeat", "cut", "line")))
        if accident == "insert":
            content = content[:at] + draw(st.sampled_from(_PIECES)) + content[at:]
        elif accident == "replace":
            content = content[:at] + draw(st.sampled_from(_PIECES)) + content[end:]
        elif accident == "delete":
            content = content[:at] + content[end:]
        elif accident == "repeat":
            content = content[:end] + content[at:end] + content[end:]
        elif accident == "cut":
            content = content[:at] if draw(st.integers(0, 3)) == 0 else content
        else:
            content = _moved(content, draw)
    return content


def _moved(content: bytes, draw: st.DrawFn) -> bytes:
    lines = content.splitlines(keepends=True)
    if len(lines) < 3:
        return content
    taken = draw(st.integers(1, len(lines) - 1))
    put = draw(st.integers(1, len(lines) - 1))
    line = lines[taken] if draw(st.booleans()) else lines.pop(taken)
    lines.insert(put, line)
    return b"".join(lines)
