"""What the reference detector thinks of a picture, cell by cell, read from inside its ONNX file.

Its strides and cells are ours, so its scores, its boxes and the features behind them can be asked of our net as they
are. It has learnt 80 classes from COCO: to agree with it is to tell a visitor from a car, a dog or a chair.
"""
import numpy as np
import onnx
import onnxruntime
import torch

LEVELS = 3


class Reference:
    """YOLOX layout only: the convolutions named head.{cls,reg,obj}_preds.N end the part of the graph that is run."""

    def __init__(self, file):
        model = onnx.load(file)
        graph = model.graph
        heads = {n.input[1].split(".weight")[0]: n for n in graph.node if len(n.input) > 1 and n.input[1].startswith("head.")}
        # The features under classes and under boxes, 64 channels each, and how sure it is that anything is there.
        features = [heads[f"head.{kind}_preds.{k}"].input[0] for k in range(LEVELS) for kind in ("cls", "reg")]
        rows = [heads[f"head.{kind}_preds.{k}"].output[0] for k in range(LEVELS) for kind in ("obj", "cls", "reg")]
        for name, side in zip(("count", "channels", "height", "width"), graph.input[0].type.tensor_type.shape.dim):
            if name != "channels":
                side.dim_param = name
        del graph.output[:], graph.value_info[:]
        graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in features + rows)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.first = graph.input[0].name
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        self.centre, self.spread = None, None

    def __call__(self, pictures):
        """N x H x W x 3 BGR in. Out, per stride, the features (128 channels, standardised once calibrated) and how sure
        it is that anything is there (0..1); and for all cells, in our order, the person's score 0..1 and the raw box."""
        planes = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32)
        held = [torch.from_numpy(o) for o in self.session.run(None, {self.first: planes})]
        features = [torch.cat(held[2 * k : 2 * k + 2], 1) for k in range(LEVELS)]
        if self.centre is not None:
            features = [(f - c) / s for f, c, s in zip(features, self.centre, self.spread)]
        triples = [held[2 * LEVELS + 3 * k :][:3] for k in range(LEVELS)]
        presence = [there.sigmoid() for there, _, _ in triples]
        scores = torch.cat([(p * kind[:, :1].sigmoid()).flatten(1) for p, (_, kind, _) in zip(presence, triples)], 1)
        boxes = torch.cat([box.flatten(2) for _, _, box in triples], 2).transpose(1, 2)
        return features, presence, scores, boxes

    def calibrate(self, pictures):
        """Takes mean and deviation of every feature from these pictures."""
        features = self(pictures)[0]
        self.centre = [f.mean((0, 2, 3), keepdim=True) for f in features]
        self.spread = [f.std((0, 2, 3), keepdim=True) + 1e-3 for f in features]
