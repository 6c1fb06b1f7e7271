#include "tests/integration/mqtt_link/house.hpp"
#include "tests/support/broker.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace gwatt::test;
using gwatt::runtime::ConnectFailure;

namespace {

// Certificates as an operator makes them, by the openssl program: two CAs, servers and a client.
struct Certificates {
    TemporaryFolder folder;
    Certificates() {
        authority("ca");
        authority("other-ca");
        certificate("server", "ca", "127.0.0.1", "IP:127.0.0.1,DNS:localhost", "-days 30");
        certificate("elsewhere", "ca", "broker.example", "DNS:broker.example", "-days 30");
        certificate("expired", "ca", "127.0.0.1", "IP:127.0.0.1",
                    "-not_before 20200101000000Z -not_after 20200201000000Z");
        certificate("client", "ca", "rack-17", "DNS:rack-17", "-days 30");
    }
    std::string file(const std::string& name) const { return folder.path() / name; }

private:
    void run(const std::string& arguments) const {
        const std::string command = "cd " + folder.path().string() + " && openssl " + arguments + " >>openssl.log 2>&1";
        REQUIRE(std::system(command.c_str()) == 0);
    }
    void authority(const std::string& name) const {
        run("req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=" + name + " -keyout " + name + ".key -out " + name +
            ".crt");
    }
    // `openssl x509` of 3.0 cannot set dates; `openssl ca` can.
    void certificate(const std::string& name, const std::string& ca, const std::string& cn, const std::string& san,
                     const std::string& dates) const {
        run("req -newkey rsa:2048 -nodes -subj /CN=" + cn + " -keyout " + name + ".key -out " + name + ".csr");
        folder.write(name + ".ext", "subjectAltName=" + san + "\n");
        if (dates.starts_with("-days")) {
            run("x509 -req -in " + name + ".csr -CA " + ca + ".crt -CAkey " + ca + ".key -CAcreateserial " + dates +
                " -extfile " + name + ".ext -out " + name + ".crt");
            return;
        }
        folder.write("index.txt", "");
        folder.write("serial", "77\n");
        folder.write("ca.cnf",
                     "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\n"
                     "policy=p\n[p]\ncommonName=supplied\n");
        run("ca -batch -config ca.cnf -cert " + ca + ".crt -keyfile " + ca +
            ".key -startdate 200101000000Z "
            "-enddate 200201000000Z -extfile " +
            name + ".ext -in " + name + ".csr -out " + name + ".crt");
    }
};

const Certificates& certificates() {
    static const Certificates made;
    return made;
}

std::string listener(const std::string& server, bool demand_client) {
    const Certificates& c = certificates();
    return "allow_anonymous true\ncafile " + c.file("ca.crt") + "\ncertfile " + c.file(server + ".crt") + "\nkeyfile " +
           c.file(server + ".key") + "\nrequire_certificate " + (demand_client ? "true" : "false") + "\n";
}

MqttOptions tls_options(std::uint16_t port, const std::string& ca) {
    MqttOptions options = options_for(port, "rack-17");
    options.tls.emplace();
    options.tls->ca_file = certificates().file(ca + ".crt");
    return options;
}

void with_client_certificate(MqttOptions& options) {
    options.tls->certificate_file = certificates().file("client.crt");
    options.tls->key_file = certificates().file("client.key");
}

bool comes_up(const std::string& listener_lines, MqttOptions options,
              ConnectFailure expected = ConnectFailure::unreachable) {
    House house;
    Broker broker(listener_lines);
    options.port = broker.port();
    Party party(house, options);
    party.run();
    const auto& n = party.link.numbers();
    REQUIRE(house.until([&] { return n.up == 1 || n.connect_failures[static_cast<std::size_t>(expected)] > 0; }));
    if (n.up == 1) {
        party.publish({.topic = "t", .payload = "over TLS"});
        CHECK(house.until([&] { return party.outcomes(Delivery::taken) == 1; }));
    }
    return n.up == 1;
}

}  // namespace

TEST_CASE("a broker with a certificate of our CA for its address is trusted, by address and by name") {
    CHECK(comes_up(listener("server", false), tls_options(0, "ca")));
    MqttOptions by_name = tls_options(0, "ca");
    by_name.host = "localhost";
    CHECK(comes_up(listener("server", false), by_name));
    MqttOptions old = tls_options(0, "ca");
    old.protocol = MqttProtocol::v311;
    CHECK(comes_up(listener("server", false), old));
}

TEST_CASE("a certificate for another host is refused") {
    CHECK_FALSE(comes_up(listener("elsewhere", false), tls_options(0, "ca")));
}

TEST_CASE("a certificate of an unknown CA is refused, the system's CAs included") {
    CHECK_FALSE(comes_up(listener("server", false), tls_options(0, "other-ca")));
    MqttOptions system = tls_options(0, "ca");
    system.tls->ca_file.clear();
    CHECK_FALSE(comes_up(listener("server", false), system));
}

TEST_CASE("an expired certificate is refused") {
    CHECK_FALSE(comes_up(listener("expired", false), tls_options(0, "ca")));
}

TEST_CASE("a broker that demands a client certificate takes ours, and refuses us without one") {
    MqttOptions options = tls_options(0, "ca");
    CHECK_FALSE(comes_up(listener("server", true), options));
    with_client_certificate(options);
    CHECK(comes_up(listener("server", true), options));
}

TEST_CASE("the certificate's name can be the user that an access list knows") {
    House house;
    const std::string acl = certificates().folder.write("acl", "pattern write tele/%u/#\n");
    Broker broker(listener("server", true) + "use_identity_as_username true\nacl_file " + acl + "\n");
    MqttOptions options = tls_options(broker.port(), "ca");
    with_client_certificate(options);
    Party party(house, options);
    REQUIRE(party.connect());
    party.publish({.topic = "tele/rack-17/live", .payload = "mine"});
    party.publish({.topic = "tele/rack-99/live", .payload = "another's"});
    REQUIRE(house.until([&] { return party.results.size() == 2; }));
    CHECK(party.outcomes(Delivery::taken) == 1);
    CHECK(party.outcomes(Delivery::not_authorised) == 1);
}

TEST_CASE("plain MQTT to a TLS port, and TLS to a plain port, fail without harm") {
    House house;
    Broker tls(listener("server", false));
    Broker plain;
    MqttOptions to_tls = options_for(tls.port(), "plain");
    to_tls.connect_timeout = 2s;
    MqttOptions to_plain = tls_options(plain.port(), "ca");
    to_plain.connect_timeout = 2s;
    Party a(house, to_tls);
    Party b(house, to_plain);
    a.run();
    b.run();
    const auto failed = [](const Party& p) {
        return p.link.numbers().connect_failures[1] + p.link.numbers().connect_failures[2] > 0;
    };
    CHECK(house.until([&] { return failed(a) && failed(b); }, 30s));
    CHECK(a.link.connections() + b.link.connections() == 0);
}

// `openssl s_server -www` shakes hands and then waits for a line of HTTP: a version that is spoken ends as a time-out, one that is not
// ends at the handshake.
TEST_CASE("TLS 1.1 is not spoken, TLS 1.2 is") {
    const Certificates& c = certificates();
    for (const bool old : {true, false}) {
        House house;
        MqttOptions options = tls_options(free_port(), "ca");
        options.connect_timeout = 1s;
        std::vector<std::string> command{"openssl",
                                         "s_server",
                                         "-accept",
                                         std::to_string(options.port),
                                         "-www",
                                         "-cert",
                                         c.file("server.crt"),
                                         "-key",
                                         c.file("server.key"),
                                         "-cipher",
                                         "ALL:@SECLEVEL=0",
                                         old ? "-tls1_1" : "-tls1_2"};
        const pid_t server = start_process(command, c.file("s_server.log"));
        REQUIRE(house.until([&] { return answers(options.port); }));
        Party party(house, options);
        party.run();
        const auto& failures = party.link.numbers().connect_failures;
        const auto& wanted =
            failures[static_cast<std::size_t>(old ? ConnectFailure::unreachable : ConnectFailure::timeout)];
        CHECK(house.until([&] { return wanted >= 1; }));
        CHECK(failures[static_cast<std::size_t>(ConnectFailure::timeout)] == (old ? 0 : wanted));
        end_process(server);
    }
}

TEST_CASE("a file that cannot be read is named in the log, and read again when it is there") {
    House house;
    Broker broker(listener("server", false));
    MqttOptions options = tls_options(broker.port(), "ca");
    options.tls->ca_file = certificates().file("later.crt");
    Party party(house, options);
    party.run();
    REQUIRE(house.until([&] { return party.link.numbers().connect_failures[0] >= 1; }));
    CHECK(house.logged("cause=files"));
    CHECK(house.logged("later.crt"));
    std::filesystem::copy_file(certificates().file("ca.crt"), options.tls->ca_file);
    CHECK(house.until([&] { return party.link.connected(); }));
}
