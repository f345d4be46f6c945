"""The person net: a small CSP backbone, a two-way feature pyramid and one light head per stride.

Plain 3x3 convolutions where channels are few (they run fastest per multiply), depthwise ones where the
weights would otherwise dominate the file.  One logit says "person": with a single class, objectness and
class are the same question, so the exported class column is the constant 1 and score = objectness.
"""
import torch
from torch import nn

STRIDES = (8, 16, 32)


class Conv(nn.Module):
    """Convolution, batch norm, ReLU; `fuse` folds the norm into the convolution for export."""

    def __init__(self, cin, cout, k=1, s=1, groups=1, act=True):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, k, s, k // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(cout, eps=1e-3, momentum=0.03)
        self.act = nn.ReLU(inplace=True) if act else nn.Identity()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))

    def fuse(self):
        if isinstance(self.bn, nn.Identity):
            return
        folded = nn.utils.fusion.fuse_conv_bn_eval(self.conv.eval(), self.bn.eval())
        self.conv, self.bn = folded, nn.Identity()


def separable(cin, cout, k=3, s=1):
    return nn.Sequential(Conv(cin, cin, k, s, groups=cin, act=False), Conv(cin, cout))


class Residual(nn.Module):
    def __init__(self, c, light):
        super().__init__()
        self.body = separable(c, c, 5) if light else nn.Sequential(Conv(c, c), Conv(c, c, 3))

    def forward(self, x):
        return x + self.body(x)


class Csp(nn.Module):
    """Half of the channels pass the residual blocks, half bypass them, one 1x1 joins them."""

    def __init__(self, cin, cout, blocks=1, light=False):
        super().__init__()
        half = cout // 2
        self.through, self.past = Conv(cin, half), Conv(cin, half)
        self.blocks = nn.Sequential(*[Residual(half, light) for _ in range(blocks)])
        self.join = Conv(cout, cout)

    def forward(self, x):
        return self.join(torch.cat((self.blocks(self.through(x)), self.past(x)), 1))


class Pool(nn.Module):
    """Three stacked 5x5 maxima: the deepest level sees the whole picture."""

    def __init__(self, c):
        super().__init__()
        self.enter, self.leave = Conv(c, c // 2), Conv(c * 2, c)
        self.max = nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        a = self.enter(x)
        b = self.max(a)
        c = self.max(b)
        return self.leave(torch.cat((a, b, c, self.max(c)), 1))


class Head(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.enter = Conv(c, c)
        self.score = nn.Sequential(separable(c, c), nn.Conv2d(c, 1, 1))
        self.box = nn.Sequential(separable(c, c), nn.Conv2d(c, 4, 1))
        nn.init.constant_(self.score[1].bias, -4.6)  # a prior of 1 %: the empty cells do not swamp the start
        self.box[1].bias.data = torch.tensor([0.5, 0.5, 1.0, 1.6])  # an upright box around the cell's centre

    def forward(self, x):
        x = self.enter(x)
        return torch.cat((self.box(x), self.score(x)), 1)


class PersonNet(nn.Module):
    def __init__(self, widths=(16, 32, 64, 128, 192), neck=64):
        super().__init__()
        w0, w1, w2, w3, w4 = widths
        self.stem = nn.Sequential(Conv(3, w0, 3, 2), Conv(w0, w1, 3, 2), Csp(w1, w1))
        self.c3 = nn.Sequential(Conv(w1, w2, 3, 2), Csp(w2, w2, 2))
        self.c4 = nn.Sequential(Conv(w2, w3, 3, 2), Csp(w3, w3, 2))
        self.c5 = nn.Sequential(separable(w3, w4, 3, 2), Pool(w4), Csp(w4, w4, 1, light=True))
        self.side = nn.ModuleList([Conv(w2, neck), Conv(w3, neck), Conv(w4, neck)])
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.down3, self.down4 = separable(neck, neck, 3, 2), separable(neck, neck, 3, 2)
        self.top4, self.top3 = Csp(2 * neck, neck), Csp(2 * neck, neck)
        self.out4, self.out5 = Csp(2 * neck, neck), Csp(2 * neck, neck)
        self.heads = nn.ModuleList([Head(neck) for _ in STRIDES])

    def levels(self, x):
        """Pictures 0..255 BGR in; the features of each stride out."""
        c3 = self.c3(self.stem((x - 114.0) / 64.0))
        c4 = self.c4(c3)
        s3, s4, p5 = (f(c) for f, c in zip(self.side, (c3, c4, self.c5(c4))))
        p4 = self.top4(torch.cat((self.up(p5), s4), 1))
        p3 = self.top3(torch.cat((self.up(p4), s3), 1))
        n4 = self.out4(torch.cat((self.down3(p3), p4), 1))
        n5 = self.out5(torch.cat((self.down4(n4), p5), 1))
        return p3, n4, n5

    def rows(self, levels):
        """Rows (cx, cy, w, h, person logit) of all strides, raw."""
        rows = [h(p).flatten(2) for h, p in zip(self.heads, levels)]
        return torch.cat(rows, 2).transpose(1, 2)

    def forward(self, x):
        return self.rows(self.levels(x))


class Pupil(nn.Module):
    """The net, and beside each of its levels a projection to the reference's features: only there while it learns."""

    def __init__(self, neck=64, taught=128):
        super().__init__()
        self.net = PersonNet(neck=neck)
        self.projections = nn.ModuleList([nn.Conv2d(neck, taught, 1) for _ in STRIDES])

    def forward(self, x):
        levels = self.net.levels(x)
        return self.net.rows(levels), [f(p) for f, p in zip(self.projections, levels)]


def fold(net):
    """Folds every norm into its convolution, for export or for training on without norms."""
    for m in net.modules():
        if isinstance(m, Conv):
            m.fuse()
    return net


class Exported(nn.Module):
    """The same net with the YOLOX columns: cx, cy, w, h raw; objectness; class."""

    def __init__(self, net):
        super().__init__()
        self.net = fold(net.eval())

    def forward(self, x):
        rows = self.net(x)
        score = rows[..., 4:].sigmoid()
        return torch.cat((rows[..., :4], score, torch.ones_like(score)), 2)


def grid(size):
    """Cell corners and strides of every row for a square input, in pixels of that input."""
    cells, strides = [], []
    for s in STRIDES:
        n = size // s
        y, x = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
        cells.append(torch.stack((x, y), 2).reshape(-1, 2).float())
        strides.append(torch.full((n * n, 1), float(s)))
    return torch.cat(cells), torch.cat(strides)
