"""Which cells answer for which person (task-aligned assignment), how wrong they are, and how far from the reference."""
import torch
import torch.nn.functional as F

TOP = 9


def decode(rows, cells, strides):
    xy = rows[..., :2] * strides + cells * strides
    wh = rows[..., 2:4].clamp(-4, 5).exp() * strides
    return torch.cat((xy - wh / 2, xy + wh / 2), -1)


def overlap(a, b, generalised=False):
    lt, rb = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    both = (rb - lt).clamp(min=0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - both + 1e-6
    if not generalised:
        return both / union
    around = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1) + 1e-6
    return both / union - (around - union) / around


@torch.no_grad()
def assign(boxes, scores, centres, strides, people, real):
    """For every cell: the person it answers for (-1: none) and how well, in 0..1.

    A cell may answer if its centre lies in the box or within 1.5 strides of the box's centre (small people);
    of those the best by score^0.5 * overlap^4 do, and a cell wanted twice takes the better overlap.
    """
    iou = overlap(boxes[:, None], people[:, :, None])  # picture, person, cell
    c = centres[None, None]
    edge = torch.cat((c - people[:, :, None, :2], people[:, :, None, 2:] - c), -1).amin(-1)
    middle = (people[..., :2] + people[..., 2:])[:, :, None] / 2
    near = (c - middle).abs().amax(-1) < 1.5 * strides[None, None, :, 0]
    may = ((edge > 0) | near) & real[..., None]
    fit = scores[:, None].sqrt() * iou.pow(4) * may + 1e-9 * may
    best = fit.topk(TOP, -1)
    chosen = torch.zeros_like(fit).scatter_(-1, best.indices, (best.values > 0).float())
    iou = iou * chosen
    owner_iou, owner = (iou + 1e-6 * chosen).max(1)
    chosen = chosen * F.one_hot(owner, people.shape[1]).transpose(1, 2)
    fit = fit * chosen
    # The best cell of each person is asked for a high score even while its box is poor.
    quality = fit / (fit.amax(-1, keepdim=True) + 1e-12) * (0.4 + 0.6 * iou.amax(-1, keepdim=True))
    target = (quality * chosen).amax(1)
    return torch.where(chosen.sum(1) > 0, owner, -1), target


def loss(rows, cells, strides, labels):
    """labels: per picture rows x0, y0, x1, y1, sure. Returns score loss, box loss (means over what was assigned)."""
    count, most = len(labels), max(1, max(len(b) for b in labels))
    padded = torch.zeros(count, most, 5)
    filled = torch.zeros(count, most, dtype=torch.bool)
    for i, b in enumerate(labels):
        padded[i, : len(b)], filled[i, : len(b)] = b, True
    sure = filled & (padded[..., 4] > 0)
    centres = (cells + 0.5) * strides
    boxes = decode(rows, cells, strides)
    logits = rows[..., 4]
    owner, target = assign(boxes, logits.sigmoid(), centres, strides, padded[..., :4], sure)
    mine = owner >= 0
    unsure = padded[:, :, None, :4]
    inside = torch.cat((centres - unsure[..., :2], unsure[..., 2:] - centres), -1).amin(-1) > 0
    ignored = (inside & (filled & ~sure)[..., None]).any(1) & ~mine
    total = target.sum().clamp(min=8)
    # Plain cross-entropy: with focal weights the background stayed at .2 for epochs, too long for a short run.
    score = F.binary_cross_entropy_with_logits(logits, target, reduction="none").masked_fill(ignored, 0).sum() / total
    wanted = padded[..., :4].gather(1, owner.clamp(min=0)[..., None].expand(-1, -1, 4))
    off = 1 - overlap(boxes[mine], wanted[mine], generalised=True)
    return score, (off * target[mine]).sum() / total


def agreement(ours, theirs, presence):
    """How far our projected features are from the reference's; cells in which it sees anything count most."""
    sums = 0
    for mine, wanted, there in zip(ours, theirs, presence):
        weight = 0.04 + there
        sums = sums + ((mine - wanted).square().mean(1, keepdim=True) * weight).sum() / weight.sum()
    return sums / len(ours)


def imitation(rows, cells, strides, scores, boxes):
    """How far scores and boxes are from the reference's, cell by cell: (score, box), means over what it sees.

    It speaks about every cell, which labels that miss people cannot, and says how sure one may be.
    """
    total = scores.sum().clamp(min=4)
    score = F.binary_cross_entropy_with_logits(rows[..., 4], scores, reduction="sum") / total
    seen = scores > 0.2
    off = 1 - overlap(decode(rows, cells, strides)[seen], decode(boxes, cells, strides)[seen], generalised=True)
    return score, (off * scores[seen]).sum() / total
