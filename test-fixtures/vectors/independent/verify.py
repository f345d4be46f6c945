#!/usr/bin/python3
"""A second implementation of the protocol, written from agent/protocol/README.md with Python's standard library and Debian's
python3-cryptography. It imports nothing of the first one: where the two disagree, the text, a vector or a program is wrong.

  verify.py vectors FOLDER
  verify.py open-share --header FILE --body FILE --identity FILE --agency FILE --root FILE --at SECONDS [--request FILE]
  verify.py make-request --officer FILE --approver FILE --agency FILE --at SECONDS [--fields FILE]

Results are printed as JSON. The exit status is 0 if all holds, 1 if not.
"""

import argparse
import base64
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import areas
import checks
import payloads
import primitives
import shares
from primitives import Refused


def roots_of(context):
    return [(root["threshold"], [bytes.fromhex(key) for key in root["keys"]]) for root in context.get("roots", ())]


def written_out(text):
    """Long texts of repetitions stand as [text, times] one after the other."""
    return text if type(text) is str else "".join(part * times for part, times in text)


def check_vector(kind, file, vector):
    data, now, context = written_out(vector["envelope"]).encode(), file["now_s"], file["context"]
    roots = roots_of(context)
    agency_data = context.get("agency_envelope", "").encode()
    if kind == "request":
        return checks.check_request(data, agency_data, roots, now, vector.get("topic"))
    if kind == "agency":
        return checks.check_agency(data, roots, now)
    if kind == "directory":
        return checks.check_directory(data, roots, now, vector.get("topic"))
    if kind in ("manifest", "lineage", "grant"):
        return getattr(checks, f"check_{kind}")(data)
    if kind == "dispatch":
        return checks.check_dispatch(data, bytes.fromhex(context["owner_root"]))
    if kind == "demand":
        return checks.check_demand(data, context["grant_envelope"].encode())
    return getattr(checks, f"check_{kind}")(data, checks.check_agency(agency_data, roots, now), now, vector.get("topic"))


def share_outcome(file, vector):
    archive = base64.b64decode(written_out(vector["archive_base64"])).ljust(vector["archive_bytes"], b"\0")
    context = file["context"]
    copy = vector["request"].encode() if "request" in vector else None
    try:
        problems, media, lineage = shares.verify_share(
            shares.read_archive(archive), context["agency_envelope"].encode(), roots_of(context), file["now_s"], copy
        )
    except Refused as refused:
        return {"expect": refused.code, "problems": [], "media": {}, "lineage": "not-disclosed"}
    verdict = "fails" if problems else "holds"
    return {"expect": verdict, "problems": problems, "media": media, "lineage": lineage}


def near(a, b):
    return abs(a - b) <= 1e-6 * abs(b)


def basics(file):
    """Pairs of a name and whether the building block agrees."""
    for case in file["canonical"]:
        value = payloads.parse_json(case["json"].encode())
        yield f"canonical {case['json']}", payloads.canonical_text(value) == case["canonical_utf8"]
    pae = file["pre_auth_encoding"]
    encoded = payloads.pre_auth_encoding(pae["type"], pae["payload_utf8"].encode())
    yield "pre-authentication encoding", encoded.hex() == pae["bytes_hex"]
    yield "key id", primitives.key_id(bytes.fromhex(file["key_id"]["public_key"])) == file["key_id"]["kid"]
    recipient = file["recipient_key_id"]
    yield "recipient key id", primitives.key_id(primitives.recipient_bytes(recipient["age"])) == recipient["kid"]
    for case in file["request_key"]:
        seed = primitives.request_key_seed(bytes.fromhex(case["owner_seed"]), case["agency"], case["request_hash"])
        yield f"request key for {case['agency']}", primitives.public_key_of(seed).hex() == case["public_key"]
    leaf = file["leaf"]
    made = primitives.leaf_hash(bytes.fromhex(leaf["salt"]), leaf["track"], bytes.fromhex(leaf["fragment_hex"]))
    yield "leaf", made.hex() == leaf["leaf"]
    for tree in file["trees"]:
        leaves, path = ([bytes.fromhex(node) for node in tree[part]] for part in ("leaves", "last_path"))
        root, size = bytes.fromhex(tree["root"]), len(leaves)
        yield f"root of {size}", primitives.tree_root(leaves) == root
        yield f"path in {size}", primitives.is_in_tree(root, size, size - 1, leaves[-1], path)
    for case in file["areas"]:
        area, name = case["area"], case["name"]
        yield f"{name}: problem", areas.problem_of(area) == case["problem"]
        if case["problem"] is None:
            yield f"{name}: area", near(areas.km2_of(area), case["km2"])
            yield f"{name}: compactness", near(areas.compactness_of(area), case["compactness"])
            for lat, lon, inside in case["contains"]:
                yield f"{name}: contains {lat}, {lon}", areas.contains(area, lat, lon) == inside


def run_vectors(folder):
    counts, disagreements = {}, []
    for path in sorted(Path(folder).glob("*.json")):
        kind, file = path.stem, json.loads(path.read_text("utf-8"))
        if kind == "basics":
            results = list(basics(file))
            counts[kind] = len(results)
            disagreements += [{"kind": kind, "name": name} for name, agrees in results if not agrees]
            continue
        counts[kind] = len(file["vectors"])
        for vector in file["vectors"]:
            if kind == "shares":
                meant = {key: vector[key] for key in ("expect", "problems", "media", "lineage")}
                said = share_outcome(file, vector)
            else:
                meant, said = vector["expect"], "accepted"
                try:
                    check_vector(kind, file, vector)
                except Refused as refused:
                    said = refused.code
            if said != meant:
                disagreements.append({"kind": kind, "name": vector["name"], "meant": meant, "said": said})
    print(json.dumps({"counts": counts, "disagreements": disagreements}, indent=1))
    return 1 if disagreements else 0


def read(path):
    return Path(path).read_bytes()


def open_share(options):
    root = json.loads(read(options.root))
    identity = next(line for line in read(options.identity).decode().splitlines() if line.startswith("AGE-SECRET-KEY-1"))
    try:
        archive = shares.open_body(shares.open_header(read(options.header), identity), read(options.body))
        problems, media, lineage = shares.verify_share(
            shares.read_archive(archive),
            read(options.agency),
            roots_of({"roots": [root]}),
            options.at,
            read(options.request) if options.request else None,
        )
    except Refused as refused:
        print(json.dumps({"expect": refused.code, "problems": [], "media": {}}))
        return 1
    verdict = "fails" if problems else "holds"
    print(json.dumps({"expect": verdict, "problems": problems, "media": media, "lineage": lineage}))
    return 1 if problems else 0


def make_request(options):
    """A request about the two hours that ended an hour ago; `--fields` replaces any of its fields."""
    agency, _ = payloads.peek("agency", read(options.agency))
    now = options.at
    request = {
        "agency": agency["agency"],
        "region": agency["regions"][0],
        "request_id": primitives.sha256(b"request %d" % now).hex()[:32],
        "recipient_kid": agency["recipient"]["kid"],
        "area": {"circle": {"lat_e6": 38_580_000, "lon_e6": -121_490_000, "radius_m": 300}},
        "case": {
            "number": "26-7",
            "incident": "theft",
            "opened_on": "2026-11-20",
            "statement": "Ein Fahrrad ist weg: grün, mit Körbchen. 🚲",
        },
        "contact": {"name": "Zoë Ångström", "badge": "7", "phone": "+1 916 555 0100"},
        "issued_at": now,
        "expires_at": now + 7 * 86_400,
        "window": {"from": now - 3 * 3600, "to": now - 3600},
        "legal": {"basis": "voluntary", "authority": "Detective bureau"},
        "media": {"audio": False},
        "seq": 1,
        "prev": None,
        "terms": {"biometric_id": False, "delete_by_days": 30, "outcome_due_days": 60, "third_party": "none"},
        **(json.loads(read(options.fields)) if options.fields else {}),
    }
    seeds = [bytes.fromhex(read(path).decode().strip()) for path in (options.officer, options.approver)]
    sys.stdout.buffer.write(payloads.write_envelope("request", request, seeds))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("vectors").add_argument("folder")
    share = commands.add_parser("open-share")
    for name in ("header", "body", "identity", "agency", "root"):
        share.add_argument(f"--{name}", required=True)
    share.add_argument("--at", type=int, required=True)
    share.add_argument("--request")
    request = commands.add_parser("make-request")
    for name in ("officer", "approver", "agency"):
        request.add_argument(f"--{name}", required=True)
    request.add_argument("--at", type=int, required=True)
    request.add_argument("--fields")
    options = parser.parse_args()
    if options.command == "vectors":
        return run_vectors(options.folder)
    return open_share(options) if options.command == "open-share" else make_request(options)


if __name__ == "__main__":
    sys.exit(main())
