"""One training example: a crop like those the agent makes, then what a cheap doorbell does to a picture."""
import cv2
import numpy as np

PAD = 114
LEAST_PX = 8  # people lower than this in the input are not asked for
LEAST_VISIBLE = 0.35


def region(rng, h, w, boxes):
    """A part of the picture: around one person, anywhere, or all of it."""
    sure = boxes[boxes[:, 4] > 0]
    kind = rng.random()
    if len(sure) and kind < 0.35:
        x0, y0, x1, y1, _ = sure[rng.integers(len(sure))]
        if rng.random() < 0.3 and y1 - y0 > max(48, 1.5 * (x1 - x0)):  # head and shoulders, as at the door
            y1 = y0 + (y1 - y0) * rng.uniform(0.4, 0.65)
            rh = (y1 - y0) * rng.uniform(1.0, 1.3)
            rw, cx = rh * rng.uniform(0.7, 1.8), (x0 + x1) / 2
            cx = cx + rw * rng.uniform(-0.25, 0.25)
            left, right = int(max(0, cx - rw / 2)), int(min(w, max(cx + rw / 2, x0 + 24)))
            return left, int(max(0, y1 - rh)), max(right, left + 24), int(min(h, max(y1, y0 + 24)))
        side = max(x1 - x0, y1 - y0) * rng.uniform(0.8, 3.0)
        cx, cy = (x0 + x1) / 2 + side * rng.uniform(-0.25, 0.25), (y0 + y1) / 2 + side * rng.uniform(-0.25, 0.25)
        rw, rh = side * rng.uniform(0.8, 1.4), side
    elif kind < 0.7:
        rw, rh = w * rng.uniform(0.45, 1), h * rng.uniform(0.45, 1)
        cx, cy = rng.uniform(rw / 2, w - rw / 2), rng.uniform(rh / 2, h - rh / 2)
    else:
        return 0, 0, w, h
    x0, y0 = int(max(0, cx - rw / 2)), int(max(0, cy - rh / 2))
    return x0, y0, int(min(w, max(cx + rw / 2, x0 + 24))), int(min(h, max(cy + rh / 2, y0 + 24)))


def fit(rng, picture, boxes, squashed, width, height, shrink):
    """Crops, stretches and scales into width x height at most; returns the piece and its boxes."""
    x0, y0, x1, y1 = region(rng, *picture.shape[:2], boxes)
    rw, rh = x1 - x0, y1 - y0
    stretch = np.exp(rng.normal(0, 0.12)) * (rng.choice((1.0, 1.33, 1.78)) if squashed else 1.0)
    scale = min(width / (rw * stretch), height / rh) * (rng.uniform(0.35, 1) if rng.random() < shrink else 1)
    nw, nh = max(8, min(width, round(rw * stretch * scale))), max(8, min(height, round(rh * scale)))
    how = cv2.INTER_AREA if nw * nh < rw * rh / 3 else cv2.INTER_LINEAR
    piece = cv2.resize(picture[y0:y1, x0:x1], (nw, nh), interpolation=how)
    moved = (boxes - (x0, y0, x0, y0, 0)) * (nw / rw, nh / rh, nw / rw, nh / rh, 1)
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
        moved = moved[:, [2, 1, 0, 3, 4]] * (-1, 1, -1, 1, 1) + (nw, 0, nw, 0, 0)
    return piece, moved


def clip(boxes, w, h):
    """Boxes cut to the piece; what has lost most of itself becomes unsure, what is gone is dropped."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    cut = boxes.copy()
    cut[:, :4] = cut[:, :4].clip(0, (w, h, w, h))
    left = (cut[:, 2] - cut[:, 0]) * (cut[:, 3] - cut[:, 1])
    cut[:, 4] *= (left > LEAST_VISIBLE * area) & (cut[:, 3] - cut[:, 1] >= LEAST_PX)
    return cut[left > 4]


def paste(rng, canvas, boxes, piece, person):
    """Puts a feathered cut-out of a person somewhere on the canvas: people on house fronts, at all sizes."""
    x0, y0, x1, y1 = person[:4].astype(int)
    cut = piece[max(y0, 0) : y1, max(x0, 0) : x1]
    ch, cw = canvas.shape[:2]
    if cut.shape[0] < 40 or cut.shape[1] < 12:
        return boxes
    nh = int(ch * rng.uniform(0.2, 0.95))
    nw = int(cut.shape[1] * nh / cut.shape[0])
    if nw >= cw or nw < 6 or nh < 16:
        return boxes
    cut = cv2.resize(cut, (nw, nh), interpolation=cv2.INTER_AREA)
    px, py = rng.integers(0, cw - nw), rng.integers(0, ch - nh + 1)
    edge = np.minimum(np.arange(nw) + 1, np.arange(nw, 0, -1)) / max(2, nw * rng.uniform(0.05, 0.15))
    mask = np.minimum(edge, 1)[None, :, None]
    under = canvas[py : py + nh, px : px + nw]
    gain = np.clip((under.mean() + 40) / (cut.mean() + 40), 0.5, 1.6)
    canvas[py : py + nh, px : px + nw] = (mask * np.clip(cut * gain, 0, 255) + (1 - mask) * under).astype(np.uint8)
    new = np.array([[px, py, px + nw, py + nh, 1]], np.float32)
    if len(boxes):
        shared = np.clip(np.minimum(boxes[:, 2:4], new[:, 2:4]) - np.maximum(boxes[:, :2], new[:, :2]), 0, None).prod(1)
        hidden = shared / ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) + 1e-6)
        boxes[hidden > 0.4, 4] = 0
        boxes = boxes[hidden < 0.8]
    return np.concatenate((boxes, new))


def spoil(rng, x):
    """Light, lens, sensor and compression."""
    if rng.random() < 0.4:  # infra-red or black and white
        grey = cv2.cvtColor(x, cv2.COLOR_BGR2GRAY)
        x = cv2.merge((grey, grey, grey))
        if rng.random() < 0.5:  # the lamp sits at the camera: bright middle, dark rim
            h, w = grey.shape
            y, z = np.ogrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
            x = (x * (1.25 - rng.uniform(0.3, 0.9) * (y * y + z * z) / 2)[..., None]).clip(0, 255).astype(np.uint8)
    elif rng.random() < 0.5:
        hsv = cv2.cvtColor(x, cv2.COLOR_BGR2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(np.int16) + rng.integers(-8, 9)) % 180
        hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.3, 1.4), 0, 255)
        x = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    ramp = np.arange(256) / 255.0
    dark = rng.random() < 0.15
    gamma, gain = (rng.uniform(1.2, 2.2), rng.uniform(0.3, 0.7)) if dark else (np.exp(rng.normal(0, 0.25)), rng.uniform(0.7, 1.25))
    x = cv2.LUT(x, np.clip(255 * (ramp**gamma * gain) + rng.uniform(-15, 25), 0, 255).astype(np.uint8))
    small = x.shape[0] * x.shape[1]
    if rng.random() < 0.25:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.4))
    elif rng.random() < 0.15 and small > 64 * 64:
        k = rng.uniform(0.4, 0.8)
        x = cv2.resize(cv2.resize(x, None, fx=k, fy=k, interpolation=cv2.INTER_AREA), x.shape[1::-1])
    elif rng.random() < 0.15:
        x = cv2.addWeighted(x, 1.6, cv2.GaussianBlur(x, (0, 0), 1.2), -0.6, 0)
    if rng.random() < 0.35:
        noise = rng.standard_normal(x.shape[:2] + (1,), np.float32) * rng.uniform(2, 14)
        x = np.clip(x + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        x = cv2.imdecode(cv2.imencode(".jpg", x, (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(12, 80))))[1], cv2.IMREAD_COLOR)
    return x


def example(rng, pictures, draw, size, busy):
    """A size x size BGR input, the same before it was spoiled, and its boxes.

    `busy` adds mosaics and pasted people (off towards the end). The reference sees the unspoiled picture.
    """
    clean = np.full((size, size, 3), PAD, np.uint8)
    canvas = clean.copy()
    out = []
    mosaic = busy and rng.random() < 0.25
    if mosaic:
        cx, cy = (int(size * rng.uniform(0.3, 0.7)) for _ in range(2))
        for x0, y0, x1, y1 in ((0, 0, cx, cy), (cx, 0, size, cy), (0, cy, cx, size), (cx, cy, size, size)):
            i = draw(rng)
            piece, boxes = fit(rng, *pictures.get(i), pictures.index[i]["squashed"], x1 - x0, y1 - y0, 0.1)
            h, w = piece.shape[:2]
            clean[y0 : y0 + h, x0 : x0 + w] = piece
            canvas[y0 : y0 + h, x0 : x0 + w] = spoil(rng, np.ascontiguousarray(piece))
            out.append(clip(boxes, w, h) + (x0, y0, x0, y0, 0))
        return canvas, clean, np.concatenate(out).astype(np.float32)
    i = draw(rng)
    piece, boxes = fit(rng, *pictures.get(i), pictures.index[i]["squashed"], size, size, 0.3)
    piece = np.ascontiguousarray(piece)
    h, w = piece.shape[:2]
    boxes = clip(boxes, w, h)
    if busy and rng.random() < 0.25:
        other, people = pictures.get(draw(rng))
        people = people[people[:, 4] > 0]
        if len(people):
            boxes = paste(rng, piece, boxes, other, people[rng.integers(len(people))])
    corner = rng.random() < 0.6  # where the agent puts a picture; elsewhere, so that the place means nothing
    x0, y0 = (0, 0) if corner else (int(rng.integers(0, size - w + 1)), int(rng.integers(0, size - h + 1)))
    clean[y0 : y0 + h, x0 : x0 + w] = piece
    canvas[y0 : y0 + h, x0 : x0 + w] = spoil(rng, piece)
    return canvas, clean, (boxes + (x0, y0, x0, y0, 0)).astype(np.float32)
