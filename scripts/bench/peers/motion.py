#!/usr/bin/python3
"""Runs a peer's motion detection over raw luma frames.

    motion.py speed|events METHOD[,METHOD…] FILE WIDTH HEIGHT [--skip N] [--rounds N]
    motion.py masks METHOD FILE WIDTH HEIGHT

METHOD: mog2, knn, frigate, frigate-tuned, frigate-full. `speed` prints {METHOD: nanoseconds a frame} on one thread: every frame
counts with the fastest of the rounds over the whole file, averaged over the frames after the first N. `events` prints
{METHOD: [numbers of the frames that report motion]}. `masks` prints the foreground of every frame, a byte a pixel, 0 or 1.

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


def speed(make, frames, options):
    fastest = np.full(len(frames), np.inf)
    for _ in range(options.rounds):
        method = make()
        for index, frame in enumerate(frames):
            start = time.perf_counter_ns()
            method.detect(frame)
            fastest[index] = min(fastest[index], time.perf_counter_ns() - start)
    return float(fastest[options.skip :].mean())


def events(make, frames, _options):
    method = make()
    found = []
    for index, frame in enumerate(frames):
        method.detect(frame)
        if method.boxes():
            found.append(index)
    return found


def masks(make, frames):
    method = make()
    for frame in frames:
        method.detect(frame)
        sys.stdout.buffer.write(method.mask().tobytes())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["speed", "masks", "events"])
    parser.add_argument("methods")
    parser.add_argument("file")
    parser.add_argument("width", type=int)
    parser.add_argument("height", type=int)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    frames = np.fromfile(options.file, np.uint8).reshape(-1, options.height, options.width)
    make = {name: lambda name=name: METHODS[name](options.width, options.height) for name in options.methods.split(",")}
    if options.what == "masks":
        for one in make.values():
            masks(one, frames)
    else:
        measure = {"speed": speed, "events": events}[options.what]
        json.dump({name: measure(one, frames, options) for name, one in make.items()}, sys.stdout)


if __name__ == "__main__":
    main()
