#!/usr/bin/python3
"""make_corpus.py GOLDEN CORPUS: seeds for fuzz_codec from the golden vectors (see fuzz_codec.cpp for the first bytes)."""
import sys
from pathlib import Path

golden, corpus = Path(sys.argv[1]), Path(sys.argv[2])
corpus.mkdir(parents=True, exist_ok=True)
message = {path.stem: bytes.fromhex(path.read_text(encoding="ascii")) for path in golden.glob("*.hex")}
catalog = message["catalog"]
own = len(catalog).to_bytes(2, "big") + catalog
seeds = {
    "header": bytes([0]) + message["data"],
    "catalog": bytes([1]) + catalog,
    "status": bytes([2]) + message["status"],
    "live": bytes([3]) + message["live"],
    "data": bytes([4]) + message["data"],
    "data_empty": bytes([4]) + message["data_empty"],
    "ack": bytes([5]) + message["ack"],
    "rollup": bytes([6]) + message["rollup"],
    # 0x80 + 3 and 0x80 + 4, modulo 7 of the low bits: 3 and 4
    "live_own": bytes([0x80 | 3]) + own + message["live"],
    "data_own": bytes([0x80 | 4]) + own + message["data"],
    "data_empty_own": bytes([0x80 | 4]) + own + message["data_empty"],
    "nothing": b"",
}
for name, data in seeds.items():
    (corpus / name).write_bytes(data)
    if len(data) > 40:
        (corpus / (name + "_cut")).write_bytes(data[:len(data) * 2 // 3])
