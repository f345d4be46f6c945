"""Writes the tiny models beside this file: stand-ins that take what is bright for a person. Needs python3-onnx.

bright.onnx, in YOLOX's form: images [1, 3, 64, 64] -> [1, 84, 6]; objectness is the cell's mean level / 255, the class
score .85, .9 or .95, larger for larger cells, and the box is the cell itself. wrong.onnx: the same without the last
grid. liar.onnx: the same, but what it puts out when it runs is not what it says. levels.onnx, in NanoDet's form, and
planes.onnx, in FastestDet's: the score is the cell's brightness as their makers' input shows it.
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
    return finish(graph)


def finish(graph):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], producer_name="latchkey")
    model.ir_version = 7
    onnx.checker.check_model(model)
    return model


def value(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def constant(name, array):
    return numpy_helper.from_array(array, name)


def mean_level(stride, out):
    """[1, 1, cells, cells]: the mean over colours and the cell's pixels."""
    return [helper.make_node("AveragePool", ["images"], [f"pool{stride}"],
                             kernel_shape=[stride, stride], strides=[stride, stride]),
            helper.make_node("ReduceMean", [f"pool{stride}"], [out], axes=[1], keepdims=1)]


def build_liar():
    """Rows as many as the picture's first pixel is bright: the shape it declares cannot be kept."""
    nodes = [helper.make_node("Slice", ["images", "from", "to"], ["corner"]),
             helper.make_node("Reshape", ["corner", "one"], ["number"]),
             helper.make_node("Cast", ["number"], ["rows"], to=TensorProto.INT64),
             helper.make_node("Concat", ["first", "rows", "last"], ["shape"], axis=0),
             helper.make_node("ConstantOfShape", ["shape"], ["output"])]
    constants = [constant("from", np.zeros(4, np.int64)), constant("to", np.ones(4, np.int64)),
                 constant("one", np.ones(1, np.int64)), constant("first", np.ones(1, np.int64)),
                 constant("last", np.full(1, 6, np.int64))]
    return finish(helper.make_graph(nodes, "liar", [value("images", [1, 3, SIDE, SIDE])],
                                    [value("output", [1, 84, 6])], constants))


def build_levels():
    """Two classes; each distance is surely one stride, so that a box is two cells wide around the cell's middle."""
    nodes, constants, outputs = [], [], []
    for stride in STRIDES:
        cells = (SIDE // stride) ** 2
        nodes += mean_level(stride, f"level{stride}")
        # The input is (colour - mean) / deviation: white is about 2.4, black about -2.
        nodes.append(helper.make_node("Sigmoid", [f"level{stride}"], [f"bright{stride}"]))
        constants.append(constant(f"shape{stride}", np.array([cells, 1], np.int64)))
        constants.append(constant(f"other{stride}", np.zeros((cells, 1), np.float32)))
        nodes.append(helper.make_node("Reshape", [f"bright{stride}", f"shape{stride}"], [f"person{stride}"]))
        nodes.append(helper.make_node("Concat", [f"person{stride}", f"other{stride}"], [f"scores{stride}"], axis=1))
        bins = np.tile(np.array([-50, 50, -50, -50], np.float32), (cells, 4))
        constants.append(constant(f"bins{stride}", bins))
        nodes.append(helper.make_node("Identity", [f"bins{stride}"], [f"distances{stride}"]))
        outputs.append((f"scores{stride}", [cells, 2]))
    outputs += [(f"distances{s}", [(SIDE // s) ** 2, 16]) for s in STRIDES]
    return finish(helper.make_graph(nodes, "levels", [value("images", [1, 3, SIDE, SIDE])],
                                    [value(name, shape) for name, shape in outputs], constants))


def build_planes():
    """One class; the box is half the picture around the cell's corner."""
    cells = SIDE // 16
    nodes = mean_level(16, "objectness")
    nodes.append(helper.make_node("Concat", ["objectness", "box", "class"], ["output"], axis=1))
    constants = [constant("box", np.zeros((1, 4, cells, cells), np.float32)),
                 constant("class", np.ones((1, 1, cells, cells), np.float32))]
    return finish(helper.make_graph(nodes, "planes", [value("images", [1, 3, SIDE, SIDE])],
                                    [value("output", [1, 6, cells, cells])], constants))


here = pathlib.Path(__file__).parent
onnx.save(build(STRIDES), here / "bright.onnx")
onnx.save(build(STRIDES[:2]), here / "wrong.onnx")
onnx.save(build_liar(), here / "liar.onnx")
onnx.save(build_levels(), here / "levels.onnx")
onnx.save(build_planes(), here / "planes.onnx")
