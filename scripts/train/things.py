"""Crops of what is taken for people and is none: vehicles, animals and garden furniture, as the agent would cut them out.

    python3 things.py DATA/person-train WORK/labels.json DATA/models/yolox_nano_416.onnx STILLS WORK/things

The reference finds them in the training pictures (80 classes, score .35 and above), the studio knows them in its stills.
People who are in such a crop are learnt there as everywhere.
"""
import glob
import json
import os
import sys

import cv2
import numpy as np
import onnxruntime

from augment import PAD
from pictures import FOLDERS, Packing, iou, merge

SIDE, PERSON, LEAST, AWAY = 416, 0, 0.35, 0.3
SEARCHED = ("street", "coco-train", "coco-tiny-train2017")
MOST = 3  # of one picture


def found(session, picture):
    """Boxes 0..1 of everything but people, surest first."""
    h, w = picture.shape[:2]
    k = SIDE / max(h, w)
    canvas = np.full((SIDE, SIDE, 3), PAD, np.uint8)
    canvas[: round(h * k), : round(w * k)] = cv2.resize(picture, (round(w * k), round(h * k)))
    rows = session.run(None, {"images": canvas.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
    grids = [np.stack(np.meshgrid(np.arange(SIDE // s), np.arange(SIDE // s)), 2).reshape(-1, 2) for s in (8, 16, 32)]
    cells, strides = np.concatenate(grids), np.concatenate([np.full((len(g), 1), s) for g, s in zip(grids, (8, 16, 32))])
    scores = rows[:, 4:5] * rows[:, 5:]
    best, kind = scores.max(1), scores.argmax(1)
    keep = np.flatnonzero((best >= LEAST) & (kind != PERSON))
    middle, size = (rows[keep, :2] + cells[keep]) * strides[keep], np.exp(rows[keep, 2:4]) * strides[keep]
    boxes = np.concatenate((middle - size / 2, middle + size / 2), 1) / k / (w, h, w, h)
    kept = []
    for i in np.argsort(-best[keep]):
        if not kept or iou(np.array(kept), boxes[i : i + 1])[0].max() < 0.45:
            kept.append(boxes[i].clip(0, 1))
    return kept


def crop(packing, rng, picture, name, thing, people):
    """A piece 1.2 to 2.4 times the thing, with the people (rows 0..1, sure or not) that are in it."""
    h, w = picture.shape[:2]
    x0, y0, x1, y1 = thing * (w, h, w, h)
    side = max(x1 - x0, y1 - y0, 24) * rng.uniform(1.2, 2.4)
    cx, cy = (x0 + x1) / 2 + side * rng.uniform(-0.15, 0.15), (y0 + y1) / 2 + side * rng.uniform(-0.15, 0.15)
    left, top, right, bottom = (int(v) for v in (max(0, cx - side / 2), max(0, cy - side / 2), min(w, cx + side / 2), min(h, cy + side / 2)))
    if right - left < 16 or bottom - top < 16:
        return
    moved = people.copy()
    moved[:, :4] = (people[:, :4] * (w, h, w, h) - (left, top, left, top)) / (right - left, bottom - top, right - left, bottom - top)
    area = (moved[:, 2] - moved[:, 0]) * (moved[:, 3] - moved[:, 1])
    moved[:, :4] = moved[:, :4].clip(0, 1)
    rest = (moved[:, 2] - moved[:, 0]) * (moved[:, 3] - moved[:, 1])
    moved[:, 4] *= rest > 0.35 * area
    packing.add(picture[top:bottom, left:right], "things", name, False, moved[rest > 1e-4])


def main():
    root, labels, model, stills, cache = sys.argv[1:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    reference, packing, rng = json.load(open(labels)), Packing(cache), np.random.default_rng(7)
    for folder in SEARCHED:
        file = f"{root}/{folder}.json"
        given = json.load(open(file)) if os.path.exists(file) else {}
        for name in sorted(os.listdir(f"{root}/{folder}")):
            picture = cv2.imread(f"{root}/{folder}/{name}")
            people = merge(FOLDERS[folder][0], given.get(name, []), reference[f"{folder}/{name}"])
            for thing in found(session, picture)[:MOST]:
                # What the labels call a person is no thing, whatever the reference says.
                if len(people) == 0 or iou(people[:, :4], thing[None])[0].max() < AWAY:
                    crop(packing, rng, picture, f"{folder}/{name}", thing, people)
        print(folder, len(packing.index), flush=True)
    for truth in sorted(glob.glob(f"{stills}/truth-*.json")):
        held = json.load(open(truth))
        w, h = held["widthPx"], held["heightPx"]
        share = lambda box: np.array((box[0], box[1], box[0] + box[2], box[1] + box[3]), np.float32) / (w, h, w, h)
        for entry in held["pictures"]:
            people = np.array([(*share(p["box"]), float(p["visible"] >= 0.35)) for p in entry["people"]], np.float32).reshape(-1, 5)
            for mover in entry["movers"]:
                crop(packing, rng, cv2.imread(f"{stills}/{entry['file']}"), entry["file"], share(mover["box"]), people)
    print("stills", len(packing.index), flush=True)
    packing.finish()


if __name__ == "__main__":
    main()
