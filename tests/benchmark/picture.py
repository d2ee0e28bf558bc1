"""The picture of the report: plain SVG, dollars a month against follow-ups a month, both in tens."""

from collections.abc import Mapping, Sequence
from math import log10

WIDTH, HEIGHT = 760, 420
LEFT, TOP, RIGHT, BOTTOM = 70, 40, 190, 50
COLOURS = ("#0b6e4f", "#8a5a00", "#7a3b8f", "#a02c2c", "#2a5d9f")


def draw(title: str, follow_ups: Sequence[int], lines: Mapping[str, Sequence[float]]) -> str:
    """One line for each design; axes in powers of ten."""
    low, high = log10(follow_ups[0]), log10(follow_ups[-1])
    bottom, top = -1, 7

    def x(value: float) -> float:
        return LEFT + (log10(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        at = min(max(log10(max(value, 1e-9)), bottom), top)
        return HEIGHT - BOTTOM - (at - bottom) / (top - bottom) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{title}</text>',
    ]
    for power in range(bottom, top + 1):
        at = y(10**power)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        said = f"${10**power:,}" if power >= 0 else "$0.10"
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{said}</text>')
    for count in follow_ups:
        parts.append(f'<path d="M{x(count):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{x(count):.1f}" y="{HEIGHT - 28}" text-anchor="middle">{count:,}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">follow-ups a month</text>')
    ends = sorted(((y(values[-1]), name) for name, values in lines.items()), reverse=True)
    label_at: dict[str, float] = {}
    lowest = HEIGHT - BOTTOM + 4.0
    for at, name in ends:
        lowest = min(at + 4, lowest)
        label_at[name] = lowest
        lowest -= 15
    for colour, (name, values) in zip(COLOURS, lines.items(), strict=False):
        points = " ".join(f"{x(n):.1f},{y(v):.1f}" for n, v in zip(follow_ups, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{label_at[name]:.1f}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])
