#include "drivers/check/symbols.hpp"

#include <elf.h>
#include <link.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace gwatt::drivers::check {
namespace {

class Image {
public:
    explicit Image(const std::string& file) {
        std::ifstream in(file, std::ios::binary);
        if (!in) throw std::runtime_error("cannot read " + file);
        bytes_.assign(std::istreambuf_iterator<char>(in), {});
    }
    template <class Struct> Struct at(std::size_t offset) const {
        if (offset > bytes_.size() || sizeof(Struct) > bytes_.size() - offset)
            throw std::runtime_error("the file is cut short");
        Struct found;
        std::memcpy(&found, bytes_.data() + offset, sizeof found);
        return found;
    }
    std::string text(std::size_t offset) const {
        if (offset >= bytes_.size()) throw std::runtime_error("the file is cut short");
        return std::string(bytes_.data() + offset, strnlen(bytes_.data() + offset, bytes_.size() - offset));
    }

private:
    std::vector<char> bytes_;
};

constexpr unsigned char own_class = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;

}  // namespace

std::vector<std::string> exported_symbols(const std::string& file) {
    const Image image(file);
    const auto header = image.at<ElfW(Ehdr)>(0);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != own_class ||
        header.e_type != ET_DYN)
        throw std::runtime_error(file + " is no shared object for this machine");
    std::vector<std::string> found;
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        const auto section = image.at<ElfW(Shdr)>(header.e_shoff + std::size_t{i} * header.e_shentsize);
        if (section.sh_type != SHT_DYNSYM) continue;
        const auto names = image.at<ElfW(Shdr)>(header.e_shoff + std::size_t{section.sh_link} * header.e_shentsize);
        for (std::size_t at = 0; at + sizeof(ElfW(Sym)) <= section.sh_size; at += sizeof(ElfW(Sym))) {
            const auto symbol = image.at<ElfW(Sym)>(section.sh_offset + at);
            const unsigned binding = symbol.st_info >> 4;
            const bool global = binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE;
            if (symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS && global &&
                (symbol.st_other & 3) == STV_DEFAULT)
                found.push_back(image.text(names.sh_offset + symbol.st_name));
        }
    }
    return found;
}

}  // namespace gwatt::drivers::check
