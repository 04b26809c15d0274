"""Writes TorchScript programs for bench's TorchScript class: weights zero and left out, with the names of the storages to put the real ones in."""
import io, json, zipfile
import torch


def save(model, path):
    """A zip of a scripted module's program and storages.json, each storage's parameter."""
    buffer = io.BytesIO()
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
    torch.jit.save(model, buffer)
    # Storages are numbered in the order of the pickle; a second save with marked weights tells which is which.
    names = [n for n, _ in model.named_parameters()]
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.fill_(i + 1)
    marked = io.BytesIO()
    torch.jit.save(model, marked)
    order = {}
    with zipfile.ZipFile(marked) as z:
        for n in z.namelist():
            if "/data/" in n:
                order[n.split("/data/")[1]] = names[round(torch.frombuffer(bytearray(z.read(n)[:4]), dtype=torch.float32).item()) - 1]
    with zipfile.ZipFile(buffer) as z, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for n in z.namelist():
            if "/data/" not in n and not n.endswith(".debug_pkl"):
                out.writestr(zipfile.ZipInfo("model/" + n.split("/", 1)[1], (2026, 1, 1, 0, 0, 0)), z.read(n), zipfile.ZIP_DEFLATED)
        out.writestr(zipfile.ZipInfo("storages.json", (2026, 1, 1, 0, 0, 0)), json.dumps(order, separators=(",", ":")), zipfile.ZIP_DEFLATED)
