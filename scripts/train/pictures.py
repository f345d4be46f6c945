"""The training pictures: packed once into a flat uint8 file, labels merged with the reference detector's.

A person is a box to learn; an unsure region (the reference is in doubt, or too little of a person is left after
a crop) is neither person nor background and takes no part in the loss.
"""
import glob
import json
import os

import cv2
import numpy as np

# folder: (has box labels, squashed to a square, weight when drawing)
FOLDERS = {
    "varied": (True, True, 1.0),
    "lobby": (True, True, 0.5),
    "clinic": (True, False, 1.0),
    "coco-train": (True, False, 7.0),
    "coco-tiny-train2017": (True, False, 7.0),
    "coco-tiny-val2017": (True, False, 0.0),
    "street": (False, False, 2.0),
    "cctv/person": (False, False, 1.5),
    "cctv/empty": (True, False, 1.2),
    "empty-houses": (True, False, 1.2),
    "empty-pets": (True, False, 0.8),
    "rendered": (True, False, 3.0),
    "things": (True, False, 1.0),
}
RENDERED, THINGS = "rendered", "things"  # caches of their own
LONGEST = 352
SURE, UNSURE = 0.5, 0.15  # reference scores: above SURE it adds a person, between the two it only silences


def iou(a, b):
    """Overlap of every box of a with every box of b, and the share of each b that lies inside a."""
    lt, rb = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.clip(rb - lt, 0, None).prod(2)
    area = lambda x: (x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1])
    return both / (area(a)[:, None] + area(b)[None] - both + 1e-9), both / (area(b)[None] + 1e-9)


def merge(labelled, given, reference):
    """Labels of one picture: rows x0, y0, x1, y1, sure (1) or not (0)."""
    given = np.asarray(given, np.float32).reshape(-1, 4)
    rows = np.concatenate((given[:, :2] - given[:, 2:] / 2, given[:, :2] + given[:, 2:] / 2), 1).clip(0, 1)
    out = [np.append(r, 1) for r in rows]
    for *box, score in reference:
        box = np.asarray(box, np.float32)
        if score < UNSURE:
            continue
        if len(rows):
            same, inside = iou(rows, box[None])
            if same.max() > 0.4 or inside.max() > 0.75:
                continue
        # A folder screened to hold nobody wins over the reference; a label file that misses people does not.
        sure = score >= SURE if len(given) or not labelled else False
        out.append(np.append(box, float(sure)))
    return np.asarray(out, np.float32).reshape(-1, 5)


class Packing:
    """Writes cache/pixels.u8 and cache/index.json, each in place at once: a run may read an older pair meanwhile."""

    def __init__(self, cache):
        os.makedirs(cache, exist_ok=True)
        self.cache, self.index, self.at = cache, [], 0
        self.out = open(f"{cache}/pixels.new", "wb")

    def add(self, picture, folder, name, squashed, boxes):
        """`boxes`: rows x0, y0, x1, y1 in 0..1, sure or not."""
        h, w = picture.shape[:2]
        if max(h, w) > LONGEST:
            k = LONGEST / max(h, w)
            picture = cv2.resize(picture, (round(w * k), round(h * k)), interpolation=cv2.INTER_AREA)
            h, w = picture.shape[:2]
        entry = {"folder": folder, "name": name, "at": self.at, "h": h, "w": w, "squashed": squashed}
        self.index.append({**entry, "boxes": np.asarray(boxes).round(5).tolist()})
        self.out.write(picture.tobytes())
        self.at += picture.nbytes

    def finish(self):
        self.out.close()
        json.dump(self.index, open(f"{self.cache}/index.new", "w"))
        os.replace(f"{self.cache}/pixels.new", f"{self.cache}/pixels.u8")
        os.replace(f"{self.cache}/index.new", f"{self.cache}/index.json")


def pack(root, reference_file, cache):
    """Decodes person-train once."""
    reference = json.load(open(reference_file))
    packing = Packing(cache)
    for folder, (labelled, squashed, _) in FOLDERS.items():
        file = f"{root}/{folder}.json"
        given = json.load(open(file)) if os.path.exists(file) else {}
        for name in sorted(os.listdir(f"{root}/{folder}")) if folder not in (RENDERED, THINGS) else []:
            boxes = merge(labelled, given.get(name, []), reference[f"{folder}/{name}"])
            packing.add(cv2.imread(f"{root}/{folder}/{name}"), folder, name, squashed, boxes)
    packing.finish()


def pack_rendered(root, cache):
    """Decodes stills of the fixture studio (`npm run render -- stills`): every person in them is known."""
    packing = Packing(cache)
    for truth in sorted(glob.glob(f"{root}/truth-*.json")):
        held = json.load(open(truth))
        w, h = held["widthPx"], held["heightPx"]
        for entry in held["pictures"]:
            picture = cv2.imread(f"{root}/{entry['file']}")
            rows = [(x / w, y / h, (x + bw) / w, (y + bh) / h, float(p["visible"] >= 0.35)) for p in entry["people"] for x, y, bw, bh in [p["box"]]]
            if picture is not None:
                packing.add(picture, RENDERED, entry["file"], False, np.array(rows, np.float32).reshape(-1, 5))
    packing.finish()


class Pictures:
    def __init__(self, *caches):
        self.index = []
        for cache in caches:
            pixels = np.memmap(f"{cache}/pixels.u8", np.uint8, "r")
            for e in json.load(open(f"{cache}/index.json")):
                e["boxes"] = np.asarray(e["boxes"], np.float32).reshape(-1, 5)
                e["pixels"] = pixels[e["at"] : e["at"] + e["h"] * e["w"] * 3].reshape(e["h"], e["w"], 3)
                self.index.append(e)

    def get(self, i):
        e = self.index[i]
        boxes = e["boxes"].copy()
        boxes[:, :4] *= (e["w"], e["h"], e["w"], e["h"])
        return e["pixels"], boxes

    def split(self):
        """Indices to train on with their weights, and to watch: a whole COCO folder and the last tenth of four others.

        The tail, not a random share: neighbouring pictures of a folder resemble each other.
        """
        train, watch = [], []
        for folder in FOLDERS:
            members = [i for i, e in enumerate(self.index) if e["folder"] == folder]
            tail = {"coco-tiny-val2017": len(members), "varied": 80, "lobby": 40, "clinic": 20, "empty-houses": 20}.get(folder, 0)
            train += members[: len(members) - tail]
            watch += members[len(members) - tail :]
        folders = [self.index[i]["folder"] for i in train]
        weights = np.array([FOLDERS[folder][2] for folder in folders])
        # However many there are: people of the studio and things that are nobody get a share of what is drawn.
        folders = np.array(folders)
        for folder, share in ((RENDERED, 0.2), (THINGS, 0.3)):
            own = folders == folder
            if own.any():
                weights[own] *= share * (weights[~np.isin(folders, (RENDERED, THINGS))].sum()) / weights[own].sum()
        return np.array(train), weights / weights.sum(), watch
