/* driver.h is C11, too: this only has to compile. */
#include "drivers/abi/driver.h"

int gwatt_abi_is_c(void);
int gwatt_abi_is_c(void) { return (int)sizeof(gwatt_driver); }
