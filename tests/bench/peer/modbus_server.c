// The device of the peer bench: a Modbus TCP server (libmodbus, none of our own Modbus code) with 100 float32 powers in the
// holding registers 0..199 (big-endian words) and 100 int16 powers in 200..299, which walk ten times a second.
// It counts the read requests of function 3. The count stands in the input registers 0..3 (function 4, high word first),
// which are not counted themselves.
// usage: modbus_server PORT
#include <modbus.h>

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { floats = 100, shorts = 100, connections = 32, function_read_holding = 3 };

static double float_value[floats];
static int short_value[shorts];

static int64_t milliseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void walk(modbus_mapping_t* map) {
    for (int i = 0; i < floats; i++) {
        float_value[i] += (rand() % 2001 - 1000) / 1000.0 * 3;
        if (float_value[i] < 50) float_value[i] = 50;
        const float value = (float)float_value[i];
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        map->tab_registers[2 * i] = (uint16_t)(bits >> 16);
        map->tab_registers[2 * i + 1] = (uint16_t)bits;
    }
    for (int i = 0; i < shorts; i++) {
        short_value[i] += rand() % 7 - 3;
        if (short_value[i] < 50) short_value[i] = 50;
        map->tab_registers[2 * floats + i] = (uint16_t)short_value[i];
    }
}

static void answer(modbus_t* bus, modbus_mapping_t* map, struct pollfd* peer, uint64_t* requests) {
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_set_socket(bus, peer->fd);
    const int length = modbus_receive(bus, query);
    if (length < 0) {
        close(peer->fd);
        peer->fd = -1;
        return;
    }
    if (length == 0) return;
    if (query[modbus_get_header_length(bus)] == function_read_holding) ++*requests;
    for (int i = 0; i < 4; i++) map->tab_input_registers[i] = (uint16_t)(*requests >> (48 - 16 * i));
    modbus_reply(bus, query, length, map);
}

int main(int count, char** words) {
    const int port = count > 1 ? atoi(words[1]) : 0;
    signal(SIGPIPE, SIG_IGN);
    modbus_t* bus = modbus_new_tcp("127.0.0.1", port);
    modbus_mapping_t* map = modbus_mapping_new(0, 0, 2 * floats + shorts, 4);
    if (bus == NULL || map == NULL) return 70;
    srand(1);
    for (int i = 0; i < floats; i++) float_value[i] = 200 + rand() % 800;
    for (int i = 0; i < shorts; i++) short_value[i] = 200 + rand() % 800;
    walk(map);
    struct pollfd peer[1 + connections];
    for (int i = 0; i <= connections; i++) peer[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    peer[0].fd = modbus_tcp_listen(bus, 16);
    if (peer[0].fd < 0) {
        perror("modbus_server: listen");
        return 69;
    }
    uint64_t requests = 0;
    int64_t next = milliseconds();
    for (;;) {
        const int64_t now = milliseconds();
        if (now >= next) {
            next = now + 100;
            walk(map);
        }
        if (poll(peer, 1 + connections, (int)(next - now > 0 ? next - now : 0)) <= 0) continue;
        for (int i = 1; i <= connections; i++) {
            if (peer[i].fd < 0 && (peer[0].revents & POLLIN)) {
                peer[i].fd = modbus_tcp_accept(bus, &peer[0].fd);
                peer[i].revents = peer[0].revents = 0;
            } else if (peer[i].fd >= 0 && peer[i].revents) {
                answer(bus, map, &peer[i], &requests);
            }
        }
    }
}
