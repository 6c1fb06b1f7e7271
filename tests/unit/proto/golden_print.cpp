// proto_golden FOLDER: writes the golden vectors anew. Run it only when the format is meant to change, and then look at
// the difference: bytes of fields that exist already must stay as they are.
#include "samples.hpp"

#include <cstdio>
#include <fstream>

int main(int argc, char** argv) {
    if (argc != 2) return std::fputs("usage: proto_golden FOLDER\n", stderr), 64;
    for (const auto& [name, bytes] : gwatt::proto::samples::golden())
        std::ofstream(std::string(argv[1]) + "/" + name + ".hex") << gwatt::proto::samples::to_hex(bytes);
    return 0;
}
