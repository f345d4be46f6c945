#!/usr/bin/python3
"""Runs a peer's motion detection over raw luma frames.

    motion.py speed|masks|events METHOD FILE WIDTH HEIGHT [--skip N] [--rounds N]

METHOD: mog2, knn, frigate, frigate-tuned, frigate-full. `speed` prints {"ns": …}: nanoseconds a frame on one thread, every frame counted with
the fastest of the rounds over the whole file, averaged over the frames after the first N. `masks` prints the foreground of
every frame, a byte a pixel, 0 or 1. `events` prints {"frames": [numbers of frames that report motion], "boxes": […]}.

MOG2 and KNN are OpenCV's with their defaults, shadows not counted. They have no rule of their own for what an event is;
they get the customary one: a 3x3 opening, then outer contours of at least a thousandth of the picture.
"""
import argparse
import json
import sys
import time

import cv2
import numpy as np

from frigate import FrigateMotion

LEAST_SHARE = 0.001
FOREGROUND = 255


class Subtractor:
    def __init__(self, subtractor, width, height):
        self.subtractor = subtractor
        self.least = LEAST_SHARE * width * height
        self.kernel = np.ones((3, 3), np.uint8)
        self.foreground = None

    def detect(self, frame):
        self.foreground = self.subtractor.apply(frame)
        return self.foreground

    def boxes(self):
        clean = cv2.morphologyEx(self.mask(), cv2.MORPH_OPEN, self.kernel)
        contours, _ = cv2.findContours(clean, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        return [cv2.boundingRect(contour) for contour in contours if cv2.contourArea(contour) >= self.least]

    def mask(self):
        return (self.foreground == FOREGROUND).astype(np.uint8)


class Frigate(FrigateMotion):
    def detect(self, frame):
        self.found = super().detect(frame)

    def boxes(self):
        return self.found


METHODS = {
    "mog2": lambda w, h: Subtractor(cv2.createBackgroundSubtractorMOG2(), w, h),
    "knn": lambda w, h: Subtractor(cv2.createBackgroundSubtractorKNN(), w, h),
    "frigate": lambda w, h: Frigate(w, h),
    "frigate-tuned": lambda w, h: Frigate(w, h, tuned=True),
    "frigate-full": lambda w, h: Frigate(w, h, frame_height=h),
}


def speed(options, frames):
    fastest = np.full(len(frames), np.inf)
    for _ in range(options.rounds):
        method = METHODS[options.method](options.width, options.height)
        for index, frame in enumerate(frames):
            start = time.perf_counter_ns()
            method.detect(frame)
            fastest[index] = min(fastest[index], time.perf_counter_ns() - start)
    json.dump({"ns": float(fastest[options.skip :].mean())}, sys.stdout)


def masks(options, frames):
    method = METHODS[options.method](options.width, options.height)
    for frame in frames:
        method.detect(frame)
        sys.stdout.buffer.write(method.mask().tobytes())


def events(options, frames):
    method = METHODS[options.method](options.width, options.height)
    found = []
    for index, frame in enumerate(frames):
        method.detect(frame)
        boxes = method.boxes()
        if boxes:
            found.append((index, boxes))
    json.dump({"frames": [index for index, _ in found], "boxes": [boxes for _, boxes in found]}, sys.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["speed", "masks", "events"])
    parser.add_argument("method", choices=sorted(METHODS))
    parser.add_argument("file")
    parser.add_argument("width", type=int)
    parser.add_argument("height", type=int)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    frames = np.fromfile(options.file, np.uint8).reshape(-1, options.height, options.width)
    {"speed": speed, "masks": masks, "events": events}[options.what](options, frames)


if __name__ == "__main__":
    main()
