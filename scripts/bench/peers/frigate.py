"""Motion as Frigate finds it, written anew from what its documentation and settings describe (0.14 to 0.16).

Every frame of luma goes through: resize to `frame_height` rows, nearest neighbour; contrast stretched between its 4th and
96th percentile, both averaged over the last 50 frames; a 3x3 Gaussian of sigma 1; difference to a running average,
threshold 30; one dilation; outer contours of more than 10 pixels. The average follows with weight 0.01 (0.2 while
calibrating); while something moves it follows only from the tenth such frame on. It calibrates at the start, and again when
contours cover more than 80 % (lightning, infrared switching), until they cover less than 5 % in at most four pieces; no
motion is reported while it does. Percentiles and contrast are NumPy's and the blur is SciPy's, as there. With `tuned` the
percentiles come from a histogram, the contrast from a table and the blur from OpenCV: the same result, but for rounding, in
less time than Frigate takes.
"""
import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

THRESHOLD = 30
CONTOUR_AREA = 10
FRAME_ALPHA = 0.01
CALIBRATING_ALPHA = 0.2
LIGHTNING_SHARE = 0.8
CALIBRATED_SHARE = 0.05
CALIBRATED_PIECES = 4
CONTRAST_HISTORY = 50
PERSISTENT_FRAMES = 10


def percentiles(picture, shares):
    """The values at those shares of the sorted pixels, as numpy.percentile's default, cut to whole numbers."""
    counts = np.bincount(picture.ravel(), minlength=256)
    upto = np.cumsum(counts)
    last = picture.size - 1
    values = []
    for share in shares:
        at = last * share
        low = int(np.searchsorted(upto, int(at), side="right"))
        high = int(np.searchsorted(upto, min(last, int(at) + 1), side="right"))
        values.append(int(low + (high - low) * (at - int(at))))
    return values


class FrigateMotion:
    def __init__(self, width, height, frame_height=100, tuned=False):
        self.tuned = tuned
        self.full = (width, height)
        self.size = (frame_height * width // height, frame_height)
        self.average = np.zeros((frame_height, self.size[0]), np.float32)
        self.contrast = np.zeros((CONTRAST_HISTORY, 2), np.float64)
        self.contrast[:, 1] = 255
        self.contrast_at = 0
        self.moving_frames = 0
        self.calibrating = True
        self.foreground = None

    def stretch(self, small):
        if self.tuned:
            low, high = percentiles(small, (0.04, 0.96))
        else:
            low, high = (int(np.percentile(small, share)) for share in (4, 96))
        if low >= high:
            return small
        self.contrast[self.contrast_at] = (low, high)
        self.contrast_at = (self.contrast_at + 1) % CONTRAST_HISTORY
        low, high = self.contrast.mean(axis=0)
        values = np.arange(256) if self.tuned else small
        stretched = ((np.clip(values, low, high) - low) / (high - low) * 255).astype(np.uint8)
        return cv2.LUT(small, stretched) if self.tuned else stretched

    def detect(self, frame):
        """Boxes x, y, w, h in the frame's pixels; none while it calibrates."""
        small = cv2.resize(frame, self.size, interpolation=cv2.INTER_NEAREST)
        small = self.stretch(small)
        small = cv2.GaussianBlur(small, (3, 3), 1) if self.tuned else gaussian_filter(small, sigma=1, radius=1)
        difference = cv2.absdiff(small, cv2.convertScaleAbs(self.average))
        _, mask = cv2.threshold(difference, THRESHOLD, 255, cv2.THRESH_BINARY)
        self.foreground = cv2.dilate(mask, None, iterations=1)
        contours, _ = cv2.findContours(self.foreground, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        areas = [cv2.contourArea(contour) for contour in contours]
        scale = self.full[1] / self.size[1]
        boxes = [
            tuple(int(side * scale) for side in cv2.boundingRect(contour))
            for contour, area in zip(contours, areas)
            if area > CONTOUR_AREA
        ]
        share = sum(areas) / (self.size[0] * self.size[1])
        if share < CALIBRATED_SHARE and len(boxes) <= CALIBRATED_PIECES:
            self.calibrating = False
        if share > LIGHTNING_SHARE:
            self.calibrating = True
        self.moving_frames = self.moving_frames + 1 if boxes else 0
        if not boxes or self.moving_frames >= PERSISTENT_FRAMES:
            alpha = CALIBRATING_ALPHA if self.calibrating else FRAME_ALPHA
            cv2.accumulateWeighted(small, self.average, alpha)
        return [] if self.calibrating else boxes

    def mask(self):
        """Of the last frame, at its full size: 0 or 1."""
        return cv2.resize((self.foreground > 0).astype(np.uint8), self.full, interpolation=cv2.INTER_NEAREST)
