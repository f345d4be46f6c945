"""Writes the tiny models beside this file: a stand-in for a YOLOX model that takes what is bright for a person.

bright.onnx: images [1, 3, 64, 64] -> [1, 84, 6]; objectness is the cell's mean level / 255, the class score .85, .9 or
.95, larger for larger cells, and the box is the cell itself. wrong.onnx: the same without the last grid. Needs
python3-onnx.
"""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 64
STRIDES = (8, 16, 32)


def build(strides):
    nodes, constants, grids = [], [], []
    constants.append(numpy_helper.from_array(np.array(1 / 255, np.float32), "scale"))
    for stride in strides:
        cells = (SIDE // stride) ** 2
        nodes.append(helper.make_node("AveragePool", ["images"], [f"pool{stride}"],
                                      kernel_shape=[stride, stride], strides=[stride, stride]))
        nodes.append(helper.make_node("ReduceMean", [f"pool{stride}"], [f"mean{stride}"], axes=[1], keepdims=1))
        nodes.append(helper.make_node("Mul", [f"mean{stride}", "scale"], [f"level{stride}"]))
        constants.append(numpy_helper.from_array(np.array([1, cells, 1], np.int64), f"shape{stride}"))
        nodes.append(helper.make_node("Reshape", [f"level{stride}", f"shape{stride}"], [f"objectness{stride}"]))
        box = np.tile(np.array([0.5, 0.5, 0, 0], np.float32), (1, cells, 1))
        constants.append(numpy_helper.from_array(box, f"box{stride}"))
        constants.append(numpy_helper.from_array(np.full((1, cells, 1), 0.85 + 0.05 * STRIDES.index(stride), np.float32), f"class{stride}"))
        nodes.append(helper.make_node("Concat", [f"box{stride}", f"objectness{stride}", f"class{stride}"],
                                      [f"rows{stride}"], axis=2))
        grids.append(f"rows{stride}")
    nodes.append(helper.make_node("Concat", grids, ["output"], axis=1))
    count = sum((SIDE // s) ** 2 for s in strides)
    graph = helper.make_graph(
        nodes, "bright",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, count, 6])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], producer_name="latchkey")
    model.ir_version = 7
    onnx.checker.check_model(model)
    return model


here = pathlib.Path(__file__).parent
onnx.save(build(STRIDES), here / "bright.onnx")
onnx.save(build(STRIDES[:2]), here / "wrong.onnx")
