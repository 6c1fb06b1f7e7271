"""Writes the seeds of fuzz/modbus_frames and fuzz/profile beside this file. Standard library only; same files every time."""
import pathlib

here = pathlib.Path(__file__).parent


def crc(b):
    c = 0xFFFF
    for x in b:
        c ^= x
        for _ in range(8):
            c = c >> 1 ^ 0xA001 if c & 1 else c >> 1
    return b + bytes((c & 255, c >> 8))


def frames():
    rtu, tcp = bytes((0, 1, 0, 2)), bytes((1, 1, 0, 2))  # framing, unit, function, count - 1
    ok = crc(bytes((1, 3, 6, 1, 2, 3, 4, 5, 6)))
    mbap = bytes((0, 77, 0, 0, 0, 9, 1, 3, 6, 1, 2, 3, 4, 5, 6))
    yield "rtu_reply", rtu + ok
    yield "rtu_exception", rtu + crc(bytes((1, 0x83, 2)))
    yield "rtu_garbage_before", rtu + b"\x00\xff\x01\x03\x06" + ok
    yield "rtu_bad_crc", rtu + ok[:-1] + b"\x00" + ok
    yield "rtu_other_unit", rtu + crc(bytes((2, 3, 2, 9, 9))) + ok
    yield "rtu_twice", rtu + ok + ok
    yield "rtu_echo", rtu + crc(bytes((1, 3, 0, 0, 0, 3))) + ok
    yield "rtu_long", bytes((0, 1, 1, 124)) + crc(bytes((1, 4, 250)) + bytes(250))
    yield "rtu_noise", rtu + bytes((i * 73 & 255 for i in range(700)))
    yield "rtu_heads", rtu + bytes((1, 3, 6)) * 200
    yield "tcp_reply", tcp + mbap
    yield "tcp_late_then_reply", tcp + b"\x00\x01" + mbap[2:] + mbap
    yield "tcp_exception", tcp + bytes((0, 77, 0, 0, 0, 3, 1, 0x83, 11))
    yield "tcp_wrong_unit", tcp + mbap[:6] + b"\x09" + mbap[7:]
    yield "tcp_desync", tcp + b"HTTP/1.1 400 Bad Request\r\n\r\n"
    yield "tcp_longest", tcp + bytes((0, 77, 0, 0, 0, 254)) + bytes(254)


def profiles():
    head = 'name="x"\n[unit]\nname="u{n}"\n'
    sensor = '[[sensor]]\nid="p"\nregister=5\ntype="u16"\nquantity="power"\n'
    yield "plain", head + sensor
    yield "units", "1-6, 0xC8"
    yield "full", ('name="x"\ntitle="t"\nnotes=["a"]\nprotocol="modbus"\n[modbus]\nunits="1-6,9"\nbaud=19200\nparity="even"\nstop_bits=1\n'
                   'longest_read=16\ntable="input"\nword_order="little"\nbyte_order="big"\n[unit]\nname="u{unit}"\nlabel="U"\n'
                   '[[text]]\nid="m"\nregister=8\nlength=8\nexpect=["A"]\notherwise="warn"\n' + sensor)
    for key, value in {"fraction_bits": 3, "scale": 0.1, "offset": -273.15, "resolution": 2, "range": "[0, 9]", "no_value": "[0xFFFF]",
                       "point": '"psu_in"', "feed": '"A"', "direction": '"both"', "refresh": '"1s"', "kind": '"maximum"\nwindow="1min"',
                       "accuracy": '[{from=0,to=9,relative=0.01}]\nbasis="assumed"', "label": '"é"'}.items():
        yield key, f"{head}{sensor}{key}={value}\n"
    yield "repeat", head + sensor.replace('"p"', '"p{i}"') + "repeat=9\nstep=4\nnumber_from=1\n"
    yield "state", head + sensor.replace("power", "state") + '[sensor.bits]\n0="a"\n11="b"\n'
    yield "counter", head + sensor.replace("power", "energy").replace("u16", "u64") + 'kind="cumulative"\nwraps_at=1e9\n'
    yield "float", head + sensor.replace("u16", "float32") + 'word_order="little"\n'
    yield "twice", head + sensor + sensor
    yield "unknown", head + sensor + "colour=1\n"
    yield "bare_letter", "a=1e=s=\"é\"\n"
    yield "not_toml", "[[[[[[[ = = \x00"


for folder, made in (("modbus_frames", frames()), ("profile", profiles())):
    corpus = here / folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for name, content in made:
        (corpus / name).write_bytes(content if isinstance(content, bytes) else content.encode())
