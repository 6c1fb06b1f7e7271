// Where the runner and the drivers are when the configuration does not say: beside this program in a build tree, or where
// they were installed with it.
#include "agent/config.hpp"

#include <filesystem>

namespace gwatt::agent {
namespace {

namespace fs = std::filesystem;

std::string first_existing(const fs::path& program, std::initializer_list<const char*> places) {
    std::error_code ignored;
    for (const char* place : places)
        if (const fs::path path = (program / place).lexically_normal(); fs::exists(path, ignored)) return path.string();
    return (program / *(places.end() - 1)).lexically_normal().string();
}

}  // namespace

DriverHostPaths found_paths(DriverHostPaths configured) {
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    if (configured.runner.empty())
        configured.runner = first_existing(program, {"gwatt-driver", "../libexec/gwatt/gwatt-driver"});
    if (configured.driver_directory.empty())
        configured.driver_directory =
            first_existing(program, {"../plugins", "../" GWATT_LIBRARY_DIRECTORY "/gwatt/drivers"});
    return configured;
}

}  // namespace gwatt::agent
