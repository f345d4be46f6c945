"""Trains the embedded person model on a CPU. In this order (see models/card.md for the runs that were shipped):

    node scripts/train/label.ts DATA/person-train DATA/models/yolox_nano_416.onnx WORK/labels.json
    nice -n 19 python3 scripts/train/train.py --data DATA/person-train --labels WORK/labels.json --work WORK \\
        --reference DATA/models/yolox_nano_416.onnx --start models/person.onnx --minutes 80
    python3 scripts/train/export.py WORK/last.pt models/person.onnx --size 320
    node scripts/train/evaluate.ts DATA models/person.onnx 320 models

WORK holds the decoded pictures (about 2.5 GB), checkpoints and curve.json, one row per epoch. Python needs what
requirements.txt names. The schedule follows the clock, because the machine is shared: a run ends when it should, with
as many examples as it got. The same seed and worker count give the same examples in the same order; how many depends
on the load, and float sums may differ in their last bits between processors. person-eval is never read here.
"""
import argparse
import copy
import json
import math
import os
import time

import cv2
import numpy as np
import torch
import torch.distributed as dist
from torchvision.ops import batched_nms, box_iou

from augment import PAD, example
from loss import agreement, decode, imitation, loss
from net import Pupil, fold, grid
from pictures import Pictures, pack, pack_rendered
from reference import Reference
from start import project, settle, unfold


def batch(pictures, shares, rng, count, size, busy):
    """Examples drawn by their folder's weight; `shares` holds the indices and the running sum of their weights."""
    members, running = shares
    draw = lambda r: int(members[np.searchsorted(running, r.random() * running[-1])])
    made = [example(rng, pictures, draw, size, busy) for _ in range(count)]
    return np.stack([m[0] for m in made]), np.stack([m[1] for m in made]), [torch.from_numpy(m[2]) for m in made]


def tensor(pictures):
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float()


def average_precision(net, pictures, watch, size):
    """AP at overlap .5 over the pictures kept aside; unsure regions and people under 8 px count neither way."""
    net.eval()
    cells, strides = grid(size)
    ranked, people = [], 0
    with torch.no_grad():
        for start in range(0, len(watch), 16):
            canvas = np.full((len(watch[start : start + 16]), size, size, 3), PAD, np.uint8)
            truths = []
            for slot, i in enumerate(watch[start : start + 16]):
                picture, boxes = pictures.get(i)
                k = size / max(picture.shape[:2])
                w, h = round(picture.shape[1] * k), round(picture.shape[0] * k)
                canvas[slot, :h, :w] = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA)
                boxes[:, :4] *= k
                boxes[:, 4] *= boxes[:, 3] - boxes[:, 1] >= 8
                truths.append(torch.from_numpy(boxes))
            rows = net(tensor(canvas))
            for row, truth in zip(rows, truths):
                boxes, scores = decode(row, cells, strides), row[:, 4].sigmoid()
                keep = scores > 0.02
                boxes, scores = boxes[keep], scores[keep]
                keep = batched_nms(boxes, scores, torch.zeros(len(scores)), 0.5)
                taken, people = set(), people + int(truth[:, 4].sum())
                for box, score in zip(boxes[keep], scores[keep].tolist()):
                    over = box_iou(box[None], truth[:, :4])[0] if len(truth) else torch.zeros(0)
                    free = [(float(v), j) for j, v in enumerate(over) if v >= 0.5 and j not in taken]
                    sure = [f for f in free if truth[f[1], 4] > 0]
                    if sure:
                        taken.add(max(sure)[1])
                        ranked.append((score, 1))
                    elif not free:
                        ranked.append((score, 0))
    ranked.sort(reverse=True)
    hit = np.cumsum([r[1] for r in ranked])
    recall, precision = hit / max(people, 1), hit / (np.arange(len(hit)) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0) * precision))


def rate(progress, peak):
    """A short climb, a plateau, then a cosine down over the last 80 %."""
    if progress < 0.01:
        return peak * progress / 0.01
    if progress < 0.2:
        return peak
    return peak * (0.01 + 0.99 * (1 + math.cos(math.pi * (progress - 0.2) / 0.8)) / 2)


def sides(progress, trained):
    """Input sides to draw from: small ones are cheap, and what is learnt from them holds for larger ones.

    What goes on from a trained net has no use for the smallest, and ends on the side at which it is used.
    """
    if trained:
        return (160, 192, 224) if progress < 0.36 else (192, 224, 256) if progress < 0.71 else (224, 256, 288, 320)
    return (128, 160, 192) if progress < 0.25 else (160, 192) if progress < 0.55 else (192, 224) if progress < 0.8 else (224, 256)


def work(rank, a):
    """One of `a.workers` equal processes of one thread each: they draw different examples and share gradients.

    Far faster on a busy machine than threads inside one process, which wait for each other in every layer.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    torch.manual_seed(a.seed)
    dist.init_process_group("gloo", init_method=f"file://{a.work}/meet", rank=rank, world_size=a.workers)
    caches = [f"{a.work}/{name}" for name in ("pictures", "rendered", "things")]
    pictures = Pictures(*[cache for cache in caches if os.path.exists(cache)])
    members, weights, watch = pictures.split()
    shares = members, weights.cumsum()
    pupil, reference = Pupil(), Reference(a.reference)
    spoiled, clean, _ = batch(pictures, shares, np.random.default_rng(a.seed), 96, 192, False)
    reference.calibrate(clean)
    if a.start:
        unfold(pupil.net, a.start, tensor(spoiled))
        project(pupil, tensor(spoiled), reference(clean)[0])
    pupil = pupil.to(memory_format=torch.channels_last)
    saved = torch.load(f"{a.work}/last.pt") if a.resume else None
    if a.settle:
        if saved and not saved.get("settled", False):
            pupil.load_state_dict(saved["pupilAverage"])
            drawn = np.random.default_rng(a.seed + 1)
            settle(pupil.net, [tensor(batch(pictures, shares, drawn, 16, size, False)[0]) for size in (160, 192, 224) * 4])
        fold(pupil.eval()).net.stem.requires_grad_(False)
    average = copy.deepcopy(pupil)
    flats, means = flatten(pupil), flatten(average)
    optimiser = torch.optim.AdamW([{"params": flats[:1], "weight_decay": 0.03}, {"params": flats[1:], "weight_decay": 0.0}], lr=a.rate)
    curve, done, first, grids = [], 0.0, 0, {}
    if saved:
        curve, first, done = saved["curve"], saved["epoch"], saved["progress"]
    if saved and saved.get("settled", False) == a.settle:
        pupil.load_state_dict(saved["pupil"])
        average.load_state_dict(saved["pupilAverage"])
        optimiser.load_state_dict(saved["optimiser"])
    began, shared, taken = time.time(), torch.zeros(1), 0

    epoch, progress = first, done
    while progress < 1:
        started, sums = time.time(), np.zeros(5)
        pupil.train()
        for step in range(a.steps):
            # The first process's clock counts for all.
            shared[0] = done + (1 - done) * (time.time() - began) / (a.minutes * 60)
            dist.broadcast(shared, 0)
            progress = min(1.0, shared.item())
            taken += 1
            for group in optimiser.param_groups:
                group["lr"] = rate(progress, a.rate) * min(1, taken / 50)
            size = int(np.random.default_rng((a.seed, epoch, step)).choice(sides(progress, bool(a.start))))
            if size not in grids:
                grids[size] = grid(size)
            rng = np.random.default_rng((a.seed, epoch, step, rank))
            spoiled, clean, labels = batch(pictures, shares, rng, a.batch // a.workers, size, progress < 0.75)
            wanted, presence, scores, boxes = reference(clean)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                rows, features = pupil(tensor(spoiled))
            rows = rows.float()
            score, box = loss(rows, *grids[size], labels)
            likeScore, likeBox = imitation(rows, *grids[size], scores, boxes)
            apart = agreement([f.float() for f in features], wanted, presence)
            for flat in flats:
                flat.grad.zero_()
            (score + 2 * box + a.agree * apart + a.imitate * (likeScore + 2 * likeBox)).backward()
            for flat in flats:
                dist.all_reduce(flat.grad)
                flat.grad /= a.workers
            torch.nn.utils.clip_grad_norm_(flats, 10)
            optimiser.step()
            sums += (score.item(), box.item(), apart.item(), likeScore.item(), likeBox.item())
            follow(average, means, pupil, flats, epoch * a.steps + step)
        epoch += 1
        if rank == 0:
            seconds = time.time() - started
            row = dict(zip(("scoreLoss", "boxLoss", "apart", "likeScore", "likeBox"), (sums / a.steps).round(4)))
            row["watchAp50"] = round(average_precision(average.net, pictures, watch, 256), 4)
            curve.append({"epoch": epoch, "progress": round(progress, 3), **row, "pictures": len(members), "steps": a.steps, "seconds": round(seconds, 1)})
            print(time.strftime("%H:%M"), json.dumps(curve[-1]), flush=True)
            with open(f"{a.work}/curve.json", "w") as out:
                json.dump({"arguments": vars(a), "epochs": curve}, out, indent=1)
            saved = {"average": average.net.state_dict(), "pupil": pupil.state_dict(), "pupilAverage": average.state_dict()}
            saved |= {"optimiser": optimiser.state_dict(), "curve": curve, "epoch": epoch, "progress": progress, "settled": a.settle}
            torch.save(saved, f"{a.work}/next.pt")
            os.replace(f"{a.work}/next.pt", f"{a.work}/last.pt")


def flatten(net):
    """Moves all weights, then all biases and norms, into one long parameter each: one optimiser step, not 250."""
    flats, taught = [], [q for q in net.parameters() if q.requires_grad]
    for group in ([q for q in taught if q.ndim > 1], [q for q in taught if q.ndim <= 1]):
        flat = torch.nn.Parameter(torch.cat([q.detach().flatten() for q in group]))
        flat.grad = torch.zeros_like(flat)
        at = 0
        for q in group:
            q.data, q.grad = (x[at : at + q.numel()].view_as(q) for x in (flat.data, flat.grad))
            at += q.numel()
        flats.append(flat)
    return flats


@torch.no_grad()
def follow(average, means, net, flats, step):
    """The moving average of all weights and norm statistics: what is watched, kept and exported."""
    keep = min(0.99, (1 + step) / (10 + step))
    pairs = list(zip(means, flats)) + list(zip(average.buffers(), net.buffers()))
    for mean, value in pairs:
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - keep)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--labels", required=True)
    p.add_argument("--work", required=True)
    p.add_argument("--rendered", help="stills of the fixture studio to learn from too; read anew at each start")
    p.add_argument("--reference", required=True, help="the detector to agree with, YOLOX layout, 80 classes")
    p.add_argument("--agree", type=float, default=3.0, help="weight of that agreement; score counts 1, box 2")
    p.add_argument("--imitate", type=float, default=1.0, help="weight of the distance from its scores and boxes")
    p.add_argument("--start", help="an export of the same net to go on from; without it from nothing")
    p.add_argument("--minutes", type=float, required=True, help="when the schedule ends, from now")
    p.add_argument("--steps", type=int, default=200, help="per epoch: how often it is measured and saved")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--rate", type=float, default=1.2e-3)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--resume", action="store_true", help="go on from last.pt; what is left of the schedule takes --minutes")
    p.add_argument("--settle", action="store_true", help="go on from the averaged (or started) weights with norms folded and the first layers fixed")
    a = p.parse_args()
    if not os.path.exists(f"{a.work}/pictures/index.json"):
        pack(a.data, a.labels, f"{a.work}/pictures")
    if a.rendered:
        pack_rendered(a.rendered, f"{a.work}/rendered")
    if os.path.exists(f"{a.work}/meet"):
        os.remove(f"{a.work}/meet")
    torch.multiprocessing.spawn(work, (a,), nprocs=a.workers)


if __name__ == "__main__":
    main()
