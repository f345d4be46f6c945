"""Section 7 of the protocol's text: areas on a sphere."""

import math
from itertools import combinations

R = 6371.0088
RAD = math.pi / 180e6


def unwrap(lon, first):
    return (lon - first + 180_000_000) % 360_000_000 - 180_000_000


def points_of(area):
    pts = area["polygon"]["pts_e6"]
    return [(unwrap(lon, pts[0][1]), lat) for lat, lon in pts]


def edges_of(points):
    return list(zip(points, points[1:] + points[:1]))


def turn(a, b, c):
    product = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (product > 0) - (product < 0)


def on_edge(a, b, point):
    return (
        turn(a, b, point) == 0
        and min(a[0], b[0]) <= point[0] <= max(a[0], b[0])
        and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])
    )


def meet(a, b, c, d):
    if turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0:
        return True
    return on_edge(a, b, c) or on_edge(a, b, d) or on_edge(c, d, a) or on_edge(c, d, b)


def is_simple(points):
    edges = edges_of(points)
    last = len(edges) - 1
    for (i, (a, b)), (j, (c, d)) in combinations(enumerate(edges), 2):
        if j == i + 1:
            wrong = on_edge(a, b, d) or on_edge(c, d, a)
        elif i == 0 and j == last:
            wrong = on_edge(c, d, b) or on_edge(a, b, c)
        else:
            wrong = meet(a, b, c, d)
        if wrong:
            return False
    return True


def problem_of(area):
    if "circle" in area:
        return "near-pole" if abs(area["circle"]["lat_e6"]) > 85_000_000 else None
    points = points_of(area)
    if any(abs(y) > 85_000_000 for _, y in points):
        return "near-pole"
    for axis in (0, 1):
        values = [point[axis] for point in points]
        if max(values) - min(values) > 10_000_000:
            return "too-wide"
    if len(set(points)) != len(points):
        return "repeated-point"
    return None if is_simple(points) else "not-simple"


def distance_km(a, b):
    (x1, y1), (x2, y2) = a, b
    h = math.sin((y2 - y1) * RAD / 2) ** 2
    h += math.cos(y1 * RAD) * math.cos(y2 * RAD) * math.sin((x2 - x1) * RAD / 2) ** 2
    return 2 * R * math.asin(min(1, math.sqrt(h)))


def sinc(x):
    return 1 if x == 0 else math.sin(x) / x


def km2_of(area):
    if "circle" in area:
        return 4 * math.pi * R**2 * math.sin(area["circle"]["radius_m"] / 1000 / R / 2) ** 2
    points = points_of(area)
    base = math.sin(points[0][1] * RAD)
    parts = [
        (x2 - x1) * RAD * (math.sin((y1 + y2) * RAD / 2) * sinc((y2 - y1) * RAD / 2) - base)
        for (x1, y1), (x2, y2) in edges_of(points)
    ]
    return abs(math.fsum(parts)) * R**2


def compactness_of(area):
    if "circle" in area:
        return 1
    perimeter = sum(distance_km(a, b) for a, b in edges_of(points_of(area)))
    return 4 * math.pi * km2_of(area) / perimeter**2


def contains(area, lat, lon):
    if "circle" in area:
        circle = area["circle"]
        place = (unwrap(lon, circle["lon_e6"]), lat)
        return distance_km((0, circle["lat_e6"]), place) * 1000 <= circle["radius_m"]
    points = points_of(area)
    place = (unwrap(lon, area["polygon"]["pts_e6"][0][1]), lat)
    inside = False
    for a, b in edges_of(points):
        if on_edge(a, b, place):
            return True
        if (a[1] > lat) != (b[1] > lat) and (turn(a, b, place) > 0) == (b[1] > a[1]):
            inside = not inside
    return inside
