"""Section 4 of the protocol's text: the fields of each kind. A field is a function from a value to True or False."""

import calendar
import re

MAX_SAFE = 2**53 - 1


def pattern(expression):
    compiled = re.compile(expression, re.ASCII)
    return lambda value: type(value) is str and compiled.fullmatch(value) is not None


def number(least, most):
    return lambda value: type(value) is int and least <= value <= most


def text(most, least=1):
    return lambda value: type(value) is str and least <= len(value) <= most


def one_of(*choices):
    return lambda value: type(value) is str and value in choices


def many(item, least, most):
    return lambda value: type(value) is list and least <= len(value) <= most and all(map(item, value))


def either(*choices):
    return lambda value: any(choice(value) for choice in choices)


def fields(optional=(), **named):
    def check(value):
        if type(value) is not dict or not set(value) <= set(named):
            return False
        missing = set(named) - set(value)
        return missing <= set(optional) and all(named[name](item) for name, item in value.items())

    return check


def boolean(value):
    return type(value) is bool


def null(value):
    return value is None


def date(value):
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", value) if type(value) is str else None
    if match is None:
        return False
    year, month, day = map(int, match.groups())
    # The Gregorian calendar repeats after 400 years, and Python's has no year 0.
    return 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year + 400, month)[1]


LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST = rf"(?:{LABEL}\.)*[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"
BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
PATH = r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
ADDRESS = re.compile(
    rf"(?:https://(?:{HOST}|{BYTE}(?:\.{BYTE}){{3}}|\[::1\])|http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{{0,4}}))?{PATH}"
)


def address(value):
    match = ADDRESS.fullmatch(value) if type(value) is str and len(value) <= 200 else None
    return match is not None and int(match.group(1) or 1) <= 65535


hash_ = pattern("[0-9a-f]{64}")
key = hash_
id_ = pattern("[0-9a-f]{32}")
kid = pattern("[0-9a-f]{16}")
agency = pattern("[a-z0-9-]{3,40}")
region = pattern("[A-Z]{2}-[A-Z0-9]{1,3}")
time = number(0, 253402300799)
count = number(0, MAX_SAFE)
seq = number(1, MAX_SAFE)
prev = either(hash_, null)
span = fields(**{"from": time, "to": time})
sized = fields(bytes=count, sha256=hash_)
latitude = number(-90_000_000, 90_000_000)
longitude = number(-180_000_000, 180_000_000)


def point(value):
    return type(value) is list and len(value) == 2 and latitude(value[0]) and longitude(value[1])


area = either(
    fields(circle=fields(lat_e6=latitude, lon_e6=longitude, radius_m=number(1, 20_000))),
    fields(polygon=fields(pts_e6=many(point, 3, 16))),
)
media_name = pattern(r"4(?:0-video|1-audio)(?:-(?:0[2-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-6]))?\.mp4")
bucket = one_of("0", "1-4", "5-9", "10+")
either_address = either(address, one_of(""))

KINDS = {
    "request": fields(
        agency=agency,
        region=region,
        request_id=id_,
        recipient_kid=kid,
        area=area,
        case=fields(number=text(64), incident=text(64), opened_on=date, statement=text(1000)),
        contact=fields(name=text(100), badge=text(40), phone=text(40)),
        issued_at=time,
        expires_at=time,
        window=span,
        legal=fields(basis=text(40), authority=text(200)),
        media=fields(audio=boolean),
        seq=seq,
        prev=prev,
        terms=fields(
            biometric_id=boolean,
            delete_by_days=number(1, 100_000),
            outcome_due_days=number(1, 100_000),
            third_party=text(40),
        ),
    ),
    "agency": fields(
        agency=agency,
        name=text(100),
        kind=one_of("agency", "group"),
        status=one_of("active", "suspended", "retired"),
        regions=many(region, 1, 64),
        version=seq,
        expires_at=time,
        keys=many(
            fields(kid=kid, x=key, role=one_of("officer", "approver", "outcome"), **{"from": time, "to": time}), 1, 64
        ),
        recipient=fields(kid=kid, age=pattern("age1[02-9ac-hj-np-z]{58}"), since=time),
        upload=fields(https=address),
        attest=fields(key_storage=text(100, 0), mfa=boolean, audit_url=either_address, policy_url=either_address),
    ),
    "directory": fields(
        region=region,
        version=seq,
        issued_at=time,
        expires_at=time,
        page=number(1, 64),
        pages=number(1, 64),
        entries=many(fields(agency=agency, doc_hash=hash_), 0, 200),
        root_keys=many(key, 1, 8),
    ),
    "manifest": fields(
        clip_id=id_,
        key=key,
        root=hash_,
        tracks=many(
            fields(
                id=number(1, 255),
                kind=one_of("video", "audio"),
                codec=pattern("[A-Za-z0-9.]{1,40}"),
                leaves=number(1, 1_000_000),
            ),
            1,
            8,
        ),
        size=number(1, 1_000_000),
        t0=time,
        t1=time,
        clock=one_of("synchronised", "unsynchronised"),
    ),
    "lineage": fields(clip_key=key, month=pattern("[0-9]{4}-(?:0[1-9]|1[0-2])"), month_key=key),
    "grant": fields(
        request_hash=hash_,
        agency=agency,
        recipient_kid=kid,
        share_id=id_,
        owner_key=key,
        granted=span,
        manifest_hashes=many(hash_, 1, 256),
        media=many(fields(name=media_name, kind=one_of("original", "derived"), bytes=count, sha256=hash_), 1, 512),
        redactions=many(
            fields(name=media_name, kind=one_of("trim", "mask", "person_fill", "audio_dropped")), 0, 1024
        ),
        terms=fields(
            biometric_id=lambda value: value is False,
            delete_by_days=number(1, 365),
            outcome_due_days=number(1, 180),
            third_party=one_of("none", "court_only"),
        ),
    ),
    "dispatch": fields(
        grant_hash=hash_,
        share_id=id_,
        request_id=id_,
        body=sized,
        header=sized,
        endpoint=address,
        release_not_before=time,
        deadline=time,
    ),
    "revocation": either(
        *(
            fields(agency=agency, kind=one_of(kind), target=target, seq=seq, prev=prev, reason=text(200))
            for kind, target in (("request", id_), ("key", kid))
        )
    ),
    "notice": fields(
        ("area",),
        agency=agency,
        region=region,
        area=area,
        seq=seq,
        headline=text(120),
        text=text(1000),
        issued_at=time,
        expires_at=time,
    ),
    "outcome": fields(
        agency=agency,
        request_hash=hash_,
        seq=seq,
        status=one_of("open", "closed"),
        use=many(one_of("arrest", "charge", "exculpatory", "vehicle_id", "no_value", "other"), 0, 6),
        shares=bucket,
        retained=bucket,
        deleted=many(hash_, 0, 64),
        disclosures=many(text(100), 0, 16),
    ),
    "demand": fields(
        grant_hash=hash_, share_id=id_, ground=one_of("retention_due", "owner_request", "terms_breach")
    ),
}

PROOFS = fields(
    media=many(
        fields(
            name=media_name,
            manifest_hash=hash_,
            fragments=many(
                fields(
                    index=number(0, 1_000_000),
                    track=number(1, 255),
                    salt=id_,
                    offset=count,
                    bytes=seq,
                    path=many(hash_, 0, 30),
                ),
                0,
                20_000,
            ),
        ),
        0,
        512,
    )
)
MANIFESTS = fields(("lineage",), manifests=many(lambda value: True, 0, 256), lineage=many(lambda value: True, 0, 256))


def has_fields_of(kind, value):
    return KINDS[kind](value)
