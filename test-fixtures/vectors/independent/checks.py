"""Sections 5 and 6 of the protocol's text: whether a document is valid, and whether a request is accepted."""

from areas import compactness_of, km2_of, problem_of
from payloads import open_envelope, peek
from primitives import Refused, key_id, recipient_bytes, require_sound, require_sound_recipient

DAY = 86_400
BUCKETS = ("0", "1-4", "5-9", "10+")
DELETED = {"0": 0, "1-4": 4, "5-9": 9, "10+": 64}


def require(holds, code):
    if not holds:
        raise Refused(code)


def differ(values):
    return len(set(values)) == len(values)


def open_under_roots(kind, data, roots):
    """`roots`: (threshold, keys). Gives the document, its hash and the root that vouches for it."""
    lacking = Refused(f"{kind}/no-root")
    for root in roots:
        try:
            return (*open_envelope(kind, data, [root]), root)
        except Refused as refused:
            if refused.code != "envelope/not-enough-signers":
                raise
            lacking = refused
    raise lacking


def check_agency(data, roots, now):
    agency, _, _ = open_under_roots("agency", data, roots)
    seen = set()
    for listed in agency["keys"]:
        public_key = bytes.fromhex(listed["x"])
        require_sound(public_key)
        require(listed["kid"] == key_id(public_key), "agency/key-id")
        require(public_key not in seen, "agency/key-twice")
        seen.add(public_key)
    recipient = agency["recipient"]
    require_sound_recipient(recipient["age"])
    require(recipient["kid"] == key_id(recipient_bytes(recipient["age"])), "agency/recipient-key-id")
    require(agency["expires_at"] > now, "agency/expired")
    require(agency["status"] == "active", "agency/not-active")
    return agency


def active(agency, now, *roles):
    listed = (k for k in agency["keys"] if k["role"] in roles and k["from"] <= now < k["to"])
    return [bytes.fromhex(k["x"]) for k in listed]


def check_directory(data, roots, now, topic=None):
    page, _, (_, keys) = open_under_roots("directory", data, roots)
    require(sorted(page["root_keys"]) == sorted(key.hex() for key in keys), "directory/root-keys")
    require_published("directory", page, now)
    require_topic("directory", topic, [page["region"]], f"dir/{page['page']}")
    require(page["page"] <= page["pages"], "directory/page")
    names = [entry["agency"] for entry in page["entries"]]
    require(names == sorted(set(names)), "directory/not-sorted")
    return page


def require_topic(kind, topic, regions, tail):
    own = [f"latchkey/1/{region}/{tail}" for region in regions]
    require(topic is None or topic in own, f"{kind}/topic-mismatch")


def require_published(kind, document, now):
    require(document["issued_at"] <= now + 300, f"{kind}/issued-in-future")
    require(document["expires_at"] > now and document["expires_at"] > document["issued_at"], f"{kind}/expired")


def check_revocation(data, agency, now, topic=None):
    said, _ = peek("revocation", data)
    if said["kind"] == "key":
        keys = [bytes.fromhex(k["x"]) for k in agency["keys"] if k["kid"] == said["target"]]
    else:
        keys = active(agency, now, "officer", "approver", "outcome")
    revocation, _ = open_envelope("revocation", data, [(1, keys)])
    require(revocation["agency"] == agency["agency"], "revocation/agency-mismatch")
    require_topic("revocation", topic, agency["regions"], f"rv/{agency['agency']}/{revocation['seq']}")
    return revocation


def check_notice(data, agency, now, topic=None):
    notice, _ = open_envelope("notice", data, [(1, active(agency, now, "officer"))])
    require(notice["agency"] == agency["agency"], "notice/agency-mismatch")
    require_topic("notice", topic, [notice["region"]], f"nt/{agency['agency']}/{notice['seq']}")
    require(notice["region"] in agency["regions"], "notice/region")
    require_published("notice", notice, now)
    require(notice["expires_at"] - notice["issued_at"] <= 14 * DAY, "notice/lifetime-too-long")
    problem = problem_of(notice["area"]) if "area" in notice else None
    require(problem is None, f"notice/area-{problem}")
    return notice


def check_outcome(data, agency, now, topic=None):
    outcome, _ = open_envelope("outcome", data, [(1, active(agency, now, "outcome"))])
    require(outcome["agency"] == agency["agency"], "outcome/agency-mismatch")
    require_topic("outcome", topic, agency["regions"], f"oc/{agency['agency']}/{outcome['seq']}")
    require(len(outcome["deleted"]) == DELETED[outcome["shares"]], "outcome/deleted-count")
    require(differ(outcome["deleted"]), "outcome/deleted-twice")
    require(differ(outcome["use"]), "outcome/use-twice")
    require(BUCKETS.index(outcome["retained"]) <= BUCKETS.index(outcome["shares"]), "outcome/retained")
    return outcome


def open_self_signed(kind, data, field):
    said, _ = peek(kind, data)
    public_key = bytes.fromhex(said[field])
    require_sound(public_key)
    return open_envelope(kind, data, [(1, [public_key])])


def check_manifest(data):
    manifest, manifest_hash = open_self_signed("manifest", data, "key")
    require(sum(track["leaves"] for track in manifest["tracks"]) == manifest["size"], "manifest/size")
    require(differ([track["id"] for track in manifest["tracks"]]), "manifest/track-twice")
    require(manifest["t0"] <= manifest["t1"], "manifest/times")
    return manifest, manifest_hash


def check_lineage(data):
    said, _ = peek("lineage", data)
    public_key = bytes.fromhex(said["month_key"])
    require_sound(public_key)
    require_sound(bytes.fromhex(said["clip_key"]))
    lineage, _ = open_envelope("lineage", data, [(1, [public_key])])
    require(lineage["clip_key"] != lineage["month_key"], "lineage/same-key")
    return lineage


def check_grant(data):
    grant, grant_hash = open_self_signed("grant", data, "owner_key")
    require(differ([medium["name"] for medium in grant["media"]]), "grant/media-twice")
    require(differ(grant["manifest_hashes"]), "grant/manifest-twice")
    require(grant["granted"]["from"] <= grant["granted"]["to"], "grant/times")
    return grant, grant_hash


def check_dispatch(data, owner_root):
    dispatch, _ = open_envelope("dispatch", data, [(1, [owner_root])])
    require(dispatch["release_not_before"] < dispatch["deadline"], "dispatch/no-time")
    body, header = dispatch["body"]["bytes"], dispatch["header"]["bytes"]
    require(body > 0 and 0 < header <= 65_536, "dispatch/sizes")
    return dispatch


def check_demand(data, grant_data):
    grant, grant_hash = check_grant(grant_data)
    demand, _ = open_envelope("demand", data, [(1, [bytes.fromhex(grant["owner_key"])])])
    require(demand["grant_hash"] == grant_hash, "demand/other-grant")
    require(demand["share_id"] == grant["share_id"], "demand/other-share")
    return demand


def request_rules(agency, now):
    return [(1, active(agency, now, "officer")), (1, active(agency, now, "approver"))]


def check_request(data, agency_data, roots, now, topic=None):
    agency = check_agency(agency_data, roots, now)
    require(agency["kind"] == "agency", "request/not-an-agency")
    request, _ = open_envelope("request", data, request_rules(agency, now))
    require(request["agency"] == agency["agency"], "request/agency-mismatch")
    own_topic = f"latchkey/1/{request['region']}/rq/{request['agency']}/{request['request_id']}"
    require(topic in (None, own_topic), "request/topic-mismatch")
    require(request["region"] in agency["regions"], "request/region")
    require_times(request, now)
    require_area(request["area"])
    terms = request["terms"]
    require(request["legal"]["basis"] == "voluntary", "request/basis")
    require(
        not terms["biometric_id"]
        and terms["third_party"] in ("none", "court_only")
        and terms["delete_by_days"] <= 365
        and terms["outcome_due_days"] <= 180,
        "request/terms",
    )
    recipient = agency["recipient"]
    require(request["recipient_kid"] == recipient["kid"], "request/recipient-unknown")
    require(agency["version"] == 1 or now - recipient["since"] >= 72 * 3600, "request/recipient-too-new")
    return request


def require_times(request, now):
    issued, window = request["issued_at"], request["window"]
    require_published("request", request, now)
    require(request["expires_at"] - issued <= 14 * DAY, "request/lifetime-too-long")
    require(window["to"] <= issued, "request/window-in-future")
    require(window["to"] - window["from"] >= 900, "request/window-too-short")
    require(window["to"] - window["from"] <= 14_400, "request/window-too-long")
    require(issued - window["from"] <= 30 * DAY, "request/too-old")


def require_area(area):
    problem = problem_of(area)
    require(problem is None, f"request/area-{problem}")
    require(km2_of(area) >= 0.065, "request/area-too-small")
    require(km2_of(area) <= 0.5, "request/area-too-large")
    require(compactness_of(area) >= 0.2, "request/area-too-thin")
