#define TOML_IMPLEMENTATION
#include "drivers/profile/toml.hpp"
