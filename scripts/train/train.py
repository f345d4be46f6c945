"""Trains the embedded person model on a CPU. In this order (see models/card.md for the run that was shipped):

    node scripts/train/label.ts DATA/person-train DATA/models/yolox_nano_416.onnx WORK/labels.json
    nice -n 15 python3 scripts/train/train.py --data DATA/person-train --labels WORK/labels.json --work WORK
    python3 scripts/train/export.py WORK/best.pt models/person.onnx --size 256
    node scripts/train/evaluate.ts DATA RENDERED models/person.onnx 256

WORK holds the decoded pictures (about 2.5 GB), checkpoints and curve.json, one row per epoch. Python needs torch,
torchvision, numpy, cv2 and onnx. The same seed and worker count give the same examples; float sums may differ in
their last bits between processors. person-eval is never read here.
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
from loss import decode, loss
from net import PersonNet, grid
from pictures import Pictures, pack


def batch(pictures, shares, rng, count, size, busy):
    """Examples drawn by their folder's weight; `shares` holds the indices and the running sum of their weights."""
    members, running = shares
    draw = lambda r: int(members[np.searchsorted(running, r.random() * running[-1])])
    made = [example(rng, pictures, draw, size, busy) for _ in range(count)]
    return torch.from_numpy(np.stack([m[0] for m in made])), [torch.from_numpy(m[1]) for m in made]


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
            rows = net(torch.from_numpy(canvas).permute(0, 3, 1, 2).float())
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
    """A short climb, a plateau, a cosine down over the last 45 %: the average stays usable at any time."""
    if progress < 0.02:
        return peak * progress / 0.02
    if progress < 0.55:
        return peak
    return peak * (0.02 + 0.98 * (1 + math.cos(math.pi * (progress - 0.55) / 0.45)) / 2)


def work(rank, a):
    """One of `a.workers` equal processes of one thread each: they draw different examples and share gradients.

    Far faster on a busy machine than threads inside one process, which wait for each other in every layer.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    torch.manual_seed(a.seed)
    dist.init_process_group("gloo", init_method=f"file://{a.work}/meet", rank=rank, world_size=a.workers)
    pictures = Pictures(f"{a.work}/pictures")
    members, weights, watch = pictures.split()
    shares = members, weights.cumsum()
    net = PersonNet().to(memory_format=torch.channels_last)
    average = copy.deepcopy(net)
    flats, means = flatten(net), flatten(average)
    optimiser = torch.optim.AdamW([{"params": flats[:1], "weight_decay": 0.03}, {"params": flats[1:], "weight_decay": 0.0}], lr=a.rate)
    curve, best, first, grids = [], 0.0, 0, {}
    if a.resume:
        saved = torch.load(f"{a.work}/last.pt")
        net.load_state_dict(saved["net"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        curve, first = saved["curve"], saved["epoch"]
        best = max(row["watchAp50"] for row in curve)

    for epoch in range(first, a.epochs):
        began, progress, sums = time.time(), epoch / a.epochs, np.zeros(2)
        sizes = (128, 160, 192) if progress < 0.4 else (160, 192, 224) if progress < 0.7 else (192, 224, 256)
        net.train()
        for step in range(a.steps):
            for group in optimiser.param_groups:
                group["lr"] = rate((epoch + step / a.steps) / a.epochs, a.rate)
            size = int(np.random.default_rng((a.seed, epoch, step)).choice(sizes))
            if size not in grids:
                grids[size] = grid(size)
            rng = np.random.default_rng((a.seed, epoch, step, rank))
            x, labels = batch(pictures, shares, rng, a.batch // a.workers, size, progress < 0.8)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                rows = net(x.permute(0, 3, 1, 2).float())
            score, box = loss(rows.float(), *grids[size], labels)
            for flat in flats:
                flat.grad.zero_()
            (score + 2 * box).backward()
            for flat in flats:
                dist.all_reduce(flat.grad)
                flat.grad /= a.workers
            torch.nn.utils.clip_grad_norm_(flats, 10)
            optimiser.step()
            sums += (score.item(), box.item())
            follow(average, means, net, flats, epoch * a.steps + step)
        if rank == 0:
            trained = time.time() - began
            ap = average_precision(average, pictures, watch, 256)
            row = {"scoreLoss": sums[0] / a.steps, "boxLoss": sums[1] / a.steps, "watchAp50": ap}
            curve.append({"epoch": epoch + 1, **{k: round(v, 4) for k, v in row.items()}, "seconds": round(trained, 1)})
            print(json.dumps(curve[-1]), flush=True)
            with open(f"{a.work}/curve.json", "w") as out:
                json.dump({"arguments": vars(a), "epochs": curve}, out, indent=1)
            saved = {"average": average.state_dict(), "epoch": epoch + 1, "watchAp50": ap}
            torch.save({**saved, "net": net.state_dict(), "optimiser": optimiser.state_dict(), "curve": curve}, f"{a.work}/last.pt")
            if ap >= best:
                best = ap
                torch.save(saved, f"{a.work}/best.pt")


def flatten(net):
    """Moves all weights, then all biases and norms, into one long parameter each: one optimiser step, not 250."""
    flats = []
    for group in ([q for q in net.parameters() if q.ndim > 1], [q for q in net.parameters() if q.ndim <= 1]):
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
    keep = min(0.998, (1 + step) / (10 + step))
    pairs = list(zip(means, flats)) + list(zip(average.buffers(), net.buffers()))
    for mean, value in pairs:
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - keep)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--labels", required=True)
    p.add_argument("--work", required=True)
    p.add_argument("--epochs", type=int, default=20)
    p.add_argument("--steps", type=int, default=400)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--rate", type=float, default=1.5e-3)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--resume", action="store_true", help="go on from last.pt; another --epochs moves the schedule")
    a = p.parse_args()
    if not os.path.exists(f"{a.work}/pictures/index.json"):
        pack(a.data, a.labels, f"{a.work}/pictures")
    if os.path.exists(f"{a.work}/meet"):
        os.remove(f"{a.work}/meet")
    torch.multiprocessing.spawn(work, (a,), nprocs=a.workers)


if __name__ == "__main__":
    main()
