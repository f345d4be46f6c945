"""Going on from an exported model: its file holds convolutions with their norms folded in, training wants them apart."""
import numpy as np
import onnx
import onnx.numpy_helper
import torch

from net import Conv


@torch.no_grad()
def unfold(net, file, pictures):
    """Gives `net` the weights of an export of itself.

    Each norm gets the spread and mean that its convolution shows on these pictures (N x 3 x S x S) and the scale and
    shift that undo them, so that the net answers in training as the export does.
    """
    held = {i.name.removeprefix("net."): onnx.numpy_helper.to_array(i) for i in onnx.load(file).graph.initializer}
    value = lambda name: torch.from_numpy(np.array(held[name]))
    biases, hooks = {}, []
    for name, module in net.named_modules():
        if isinstance(module, Conv):
            module.conv.weight.copy_(value(f"{name}.conv.weight"))
            biases[module.bn] = value(f"{name}.conv.bias")
        elif isinstance(module, torch.nn.Conv2d) and module.bias is not None:
            module.weight.copy_(value(f"{name}.weight"))
            module.bias.copy_(value(f"{name}.bias"))

    def part(bn, inputs):
        variance, mean = torch.var_mean(inputs[0], (0, 2, 3), unbiased=False)
        bn.running_mean.copy_(mean)
        bn.running_var.copy_(variance)
        bn.weight.copy_((variance + bn.eps).sqrt())
        bn.bias.copy_(biases[bn] + mean)

    for bn in biases:
        hooks.append(bn.register_forward_pre_hook(part))
    net.eval()
    net(pictures)
    for hook in hooks:
        hook.remove()


@torch.no_grad()
def settle(net, batches):
    """Gives an averaged net norms that fit its weights: plain means over these batches (Izmailov et al. 2018)."""
    norms = [m.bn for m in net.modules() if isinstance(m, Conv)]
    for bn in norms:
        bn.reset_running_stats()
        bn.momentum = None
    net.train()
    for pictures in batches:
        net(pictures)
    net.eval()


@torch.no_grad()
def project(pupil, pictures, wanted):
    """Gives the projections what they would learn first: the least squares from the net's features to the reference's."""
    pupil.eval()
    for level, target, projection in zip(pupil.net.levels(pictures), wanted, pupil.projections):
        ours = level.transpose(0, 1).flatten(1).double()
        ours = torch.cat((ours, torch.ones(1, ours.shape[1])))
        theirs = target.transpose(0, 1).flatten(1).double()
        square = ours @ ours.T + 1e-2 * ours.shape[1] * torch.eye(len(ours))
        fitted = torch.linalg.solve(square, ours @ theirs.T).T.float()
        projection.weight.copy_(fitted[:, :-1, None, None])
        projection.bias.copy_(fitted[:, -1])
