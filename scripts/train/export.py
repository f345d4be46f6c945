"""Writes a checkpoint as ONNX in the YOLOX layout, norms folded, and manifest.json beside it.

python3 export.py CHECKPOINT models/person.onnx --size 320
"""
import argparse
import hashlib
import json
import pathlib

import onnx
import torch

from net import STRIDES, Exported, PersonNet, fold
from augment import PAD

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("checkpoint")
p.add_argument("out", type=pathlib.Path)
p.add_argument("--size", type=int, default=256)
a = p.parse_args()

net, weights = PersonNet(), torch.load(a.checkpoint, map_location="cpu")["average"]
if not any(name.endswith("running_mean") for name in weights):
    fold(net)
net.load_state_dict(weights)
torch.onnx.export(
    Exported(net), torch.zeros(1, 3, a.size, a.size), str(a.out), opset_version=12, input_names=["images"], output_names=["output"]
)
onnx.checker.check_model(onnx.load(str(a.out)))
data = a.out.read_bytes()
model = {
    "name": "latchkey-person",
    "file": a.out.name,
    "sha256": hashlib.sha256(data).hexdigest(),
    "decoder": "yolox",
    "inputPx": a.size,
    "pixelOrder": "bgr",
    "pad": PAD,
    "strides": list(STRIDES),
    "labels": ["person"],
    "licence": "Apache-2.0",
    "bytes": len(data),
}
a.out.with_name("manifest.json").write_text(json.dumps({"models": [model]}, indent=2) + "\n")
