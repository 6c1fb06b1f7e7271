/* A Modbus server that is neither ours nor pymodbus's: libmodbus_server rtu DEVICE UNIT | tcp PORT. Holding register i holds
 * (i * 40503 + 12345) mod 65536, 400 of them. The registers are filled by hand: modbus_set_float_abcd of libmodbus 3.1.6 stores
 * its bytes reversed on little-endian machines. Prints READY; ends when it is told to. */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { registers = 400 };

static int serve(modbus_t* bus, modbus_mapping_t* map) {
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    for (;;) {
        const int length = modbus_receive(bus, query);
        if (length > 0 && modbus_reply(bus, query, length, map) >= 0) continue;
        if (length == 0 || errno == EMBBADCRC || errno == ETIMEDOUT) continue;
        return errno == ECONNRESET || errno == EBADF || errno == EPIPE ? 0 : 1;
    }
}

int main(int count, char** words) {
    const int rtu = count == 4 && strcmp(words[1], "rtu") == 0;
    if (!rtu && !(count == 3 && strcmp(words[1], "tcp") == 0)) return 64;
    modbus_t* bus = rtu ? modbus_new_rtu(words[2], 115200, 'E', 8, 1) : modbus_new_tcp("127.0.0.1", atoi(words[2]));
    modbus_mapping_t* map = modbus_mapping_new(0, 0, registers, registers);
    if (bus == NULL || map == NULL) return 70;
    for (unsigned i = 0; i < registers; ++i) map->tab_registers[i] = (uint16_t)(i * 40503u + 12345u);
    if (rtu) {
        modbus_set_slave(bus, atoi(words[3]));
        if (modbus_connect(bus) != 0) return perror("connect"), 69;
        puts("READY");
        fflush(stdout);
        return serve(bus, map);
    }
    int listener = modbus_tcp_listen(bus, 1);
    if (listener < 0) return perror("listen"), 69;
    puts("READY");
    fflush(stdout);
    while (modbus_tcp_accept(bus, &listener) >= 0) {
        serve(bus, map);
        modbus_close(bus);
    }
    return 0;
}
