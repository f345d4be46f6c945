"""Averages the weights of two exports of the same net, the second having grown out of the first, and lowers its scores:

    python3 blend.py FIRST.onnx SECOND.onnx models/person.onnx --share 0.5 --lower 0.4

What both have learnt adds up where one has forgotten (Wortsman et al. 2022); `--lower` is taken from the score's logit,
so that the agent's default threshold fits. The sum and size in manifest.json are brought up to date.
"""
import argparse
import hashlib
import json
import pathlib

import numpy as np
import onnx
from onnx import numpy_helper

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("first")
p.add_argument("second")
p.add_argument("out", type=pathlib.Path)
p.add_argument("--share", type=float, default=0.5, help="of the second")
p.add_argument("--lower", type=float, default=0.0)
a = p.parse_args()

held = {i.name: numpy_helper.to_array(i) for i in onnx.load(a.first).graph.initializer}
model = onnx.load(a.second)
for i in model.graph.initializer:
    if not i.name.startswith("net."):
        continue
    value = a.share * numpy_helper.to_array(i) + (1 - a.share) * held[i.name]
    if i.name.endswith("score.1.bias"):
        value = value - a.lower
    i.CopyFrom(numpy_helper.from_array(value.astype(np.float32), i.name))
onnx.checker.check_model(model)
onnx.save(model, str(a.out))
data = a.out.read_bytes()
manifest = a.out.with_name("manifest.json")
listed = json.loads(manifest.read_text())
listed["models"][0] |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
manifest.write_text(json.dumps(listed, indent=2) + "\n")
