#include "runtime/mqtt_link_client.hpp"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

namespace gwatt::runtime {

namespace {

// Creating, connecting and destroying clients, one at a time for the whole process: destroying the last one lets the
// library's lock go while it ends its threads, and a client that connects at that moment never gets them (1.3.12).
std::mutex& library() {
    static std::mutex mutex;
    return mutex;
}

// Only AEAD suites: they exist from TLS 1.2 on, which makes 1.2 the oldest whatever the OpenSSL (Paho's own setting for
// the version does nothing with OpenSSL 1.1 and later).
constexpr const char* cipher_suites = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL:!PSK";

// Paho carries one pointer per operation: a small number, never followed.
void* context_of(std::uint32_t number) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(number)); }
std::uint32_t number_of(const mqtt::token& token) {
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(token.get_user_context()));
}

std::string uri_of(const MqttOptions& options) {
    const bool six = options.host.find(':') != std::string::npos;
    const std::string host = six ? "[" + options.host + "]" : options.host;
    return (options.tls ? "ssl://" : "tcp://") + host + ":" + std::to_string(options.effective_port());
}

// The first of the TLS files that cannot be read; Paho would only say that TLS failed.
std::string unreadable_file(const MqttOptions& options) {
    if (options.tls) {
        for (const std::string* file :
             {&options.tls->ca_file, &options.tls->certificate_file, &options.tls->key_file}) {
            if (!file->empty() && ::access(file->c_str(), R_OK) != 0) {
                return *file;
            }
        }
    }
    return {};
}

mqtt::ssl_options ssl_options_of(const MqttTls& tls) {
    mqtt::ssl_options ssl;
    ssl.set_trust_store(tls.ca_file);
    ssl.set_key_store(tls.certificate_file);
    ssl.set_private_key(tls.key_file);
    ssl.set_enabled_cipher_suites(cipher_suites);
    ssl.set_enable_server_cert_auth(true);
    ssl.set_verify(true);  // the host name; off by default
    return ssl;
}

// A negative code is the library's (-1, -11: socket or client gone). Else the reason of the PUBACK counts, which an MQTT 5
// failure brings with code 0 (later versions: with the code set to it). 3.1.1 has no reasons; the library puts a marker there.
PublishResult failed_publication(int code, int reason, bool v5) {
    const int said = !v5 || code < 0 ? 0 : reason >= 0x80 ? reason : code;
    if (said < 0x80 || said > 0xff) {
        return {Delivery::lost, 0};
    }
    const auto byte = static_cast<std::uint8_t>(said);
    switch (byte) {
        case 0x87: return {Delivery::not_authorised, byte};
        case 0x95: return {Delivery::too_large, byte};
        case 0x97: return {Delivery::quota, byte};
        default: return {Delivery::refused, byte};
    }
}

// CONNACK's refusal is in the return code (C 1.3.12) or in the reason (1.3.15). 3.1.1: 4 and 5 (section 3.2.2.3 of 3.1.1);
// MQTT 5: bad password, not authorised, banned, bad authentication method.
ConnectFailure connect_failure(int code, int reason, bool v5, int& said) {
    said = v5 && reason >= 0x80 ? reason : code;
    if (said <= 0) {
        return ConnectFailure::unreachable;
    }
    const bool not_authorised =
        v5 ? said == 0x86 || said == 0x87 || said == 0x8a || said == 0x8c : said == 4 || said == 5;
    return not_authorised ? ConnectFailure::not_authorised : ConnectFailure::refused;
}

template <class T> void take(const mqtt::properties& properties, mqtt::property::code code, T& value) {
    if (properties.contains(code)) {
        value = mqtt::get<T>(properties, code);
    }
}

Granted granted_by(const mqtt::connect_response& response, bool v5) {
    Granted granted;
    granted.session_present = response.is_session_present();
    if (v5) {
        const mqtt::properties& said = response.get_properties();
        take(said, mqtt::property::RECEIVE_MAXIMUM, granted.receive_maximum);
        take(said, mqtt::property::MAXIMUM_PACKET_SIZE, granted.maximum_packet);
        take(said, mqtt::property::SERVER_KEEP_ALIVE, granted.keepalive);
        take(said, mqtt::property::MAXIMUM_QOS, granted.maximum_qos);
        std::uint8_t retain = 1;
        take(said, mqtt::property::RETAIN_AVAILABLE, retain);
        granted.retain_available = retain != 0;
    }
    return granted;
}

mqtt::properties publish_properties(const Publication& publication) {
    mqtt::properties properties;
    if (!publication.content_type.empty()) {
        properties.add(mqtt::property(mqtt::property::CONTENT_TYPE, publication.content_type));
    }
    if (publication.expiry) {
        properties.add(mqtt::property(mqtt::property::MESSAGE_EXPIRY_INTERVAL,
                                      static_cast<std::int32_t>(publication.expiry->count())));
    }
    return properties;
}

}  // namespace

LinkClient::~LinkClient() {
    const std::lock_guard alone(library());
    client_.reset();
}

LinkClient::LinkClient(const MqttOptions& options, std::shared_ptr<LinkMailbox> mailbox)
    : options_(options), mailbox_(std::move(mailbox)) {}

// All handlers before connect(), and never a `connected` handler: with one, a connect succeeds twice (paho.mqtt.cpp 322).
void LinkClient::create() {
    const auto create = mqtt::create_options_builder()
                            .mqtt_version(v5() ? MQTTVERSION_5 : MQTTVERSION_3_1_1)
                            .max_buffered_messages(2 * options_.window + 16)  // limits connected clients too
                            .finalize();
    // The null pointer says no persistence; the type of the parameter differs between versions.
    client_ = std::make_unique<mqtt::async_client>(uri_of(options_), options_.client_id, create, nullptr);
    client_->set_connection_lost_handler([this](const std::string& cause) {
        mailbox_->put(serial_, link_event::Lost{0, cause});
    });
    client_->set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode reason) {
        mailbox_->put(serial_, link_event::Lost{static_cast<std::uint8_t>(reason), "the broker said DISCONNECT"});
    });
    client_->set_message_callback([this](const mqtt::const_message_ptr& m) {
        const auto& payload = m->get_payload();
        mailbox_->put_message(serial_, {m->get_topic(), std::string(payload.data(), payload.size()), m->is_retained(),
                                        m->is_duplicate()});
    });
}

mqtt::connect_options LinkClient::connect_options(std::chrono::seconds keepalive) const {
    mqtt::connect_options connect;
    connect.set_mqtt_version(v5() ? MQTTVERSION_5 : MQTTVERSION_3_1_1);  // first: it resets what the other version has
    if (v5()) {
        connect.set_clean_start(options_.clean_start);
    } else {
        connect.set_clean_session(options_.clean_start);
    }
    connect.set_keep_alive_interval(static_cast<int>(keepalive.count()));
    const auto timeout = std::chrono::ceil<std::chrono::seconds>(options_.connect_timeout);
    connect.set_connect_timeout(static_cast<int>(timeout.count()));
    connect.set_max_inflight(options_.window);
    if (!options_.user.empty()) {
        connect.set_user_name(options_.user);
        connect.set_password(options_.password);
    }
    if (options_.will) {
        const Publication& will = *options_.will;
        connect.set_will(mqtt::will_options(will.topic, mqtt::binary_ref(will.payload), will.qos, will.retain));
    }
    if (options_.tls) {
        connect.set_ssl(ssl_options_of(*options_.tls));
    }
    if (v5()) {
        mqtt::properties properties;
        const auto add = [&](mqtt::property::code code, std::int64_t value) {
            properties.add(mqtt::property(code, static_cast<std::int32_t>(value)));
        };
        add(mqtt::property::SESSION_EXPIRY_INTERVAL, options_.session_expiry.count());
        add(mqtt::property::RECEIVE_MAXIMUM, options_.receive_maximum);
        add(mqtt::property::MAXIMUM_PACKET_SIZE, options_.receive_packet);
        connect.set_properties(properties);
    }
    return connect;
}

void LinkClient::connect(std::uint32_t serial, std::chrono::seconds keepalive) {
    serial_ = serial;
    if (const std::string file = unreadable_file(options_); !file.empty()) {
        mailbox_->put(serial_, link_event::Failed{ConnectFailure::files, 0, "cannot read " + file});
        return;
    }
    const std::lock_guard alone(library());
    try {
        if (!client_) create();
        // Stays alive over the call, and is copied, not moved: in 1.2 the copy's properties point into this one.
        const mqtt::connect_options connect = connect_options(keepalive);
        client_->connect(connect, nullptr, *this);
    } catch (const mqtt::exception& e) {
        client_.reset();
        mailbox_->put(serial_, link_event::Failed{ConnectFailure::library, e.get_return_code(), e.what()});
    }
}

void LinkClient::publish(std::uint32_t slot, Publication publication) {
    if (!client_) {
        return;
    }
    try {
        const mqtt::properties properties = v5() ? publish_properties(publication) : mqtt::properties();
        auto message =
            mqtt::make_message(std::move(publication.topic), mqtt::binary_ref(std::move(publication.payload)),
                               publication.qos, publication.retain);
        message->set_properties(properties);
        client_->publish(std::move(message), context_of(slot), *this);
    } catch (const mqtt::exception& e) {  // disconnected meanwhile; else a fault that only a new client may mend
        mailbox_->put(serial_, link_event::Lost{0, std::string("a publication was not accepted: ") + e.what()});
    }
}

void LinkClient::subscribe(std::uint32_t index, const std::string& filter, int qos) {
    if (!client_) {
        return;
    }
    try {
        client_->subscribe(filter, qos, context_of(index), *this);
    } catch (const mqtt::exception&) {
        mailbox_->put(serial_, link_event::Subscribed{index, false, 0});
    }
}

void LinkClient::disconnect(std::chrono::milliseconds patience) {
    if (!client_) {
        return;
    }
    try {
        const auto token = client_->disconnect(static_cast<int>(patience.count()));
        token->wait_for(patience);
    } catch (const mqtt::exception&) {  // not connected any more: there is nobody to be polite to
    }
}

void LinkClient::on_success(const mqtt::token& token) {
    try {
        switch (token.get_type()) {
            case mqtt::token::Type::CONNECT: connected(token); break;
            case mqtt::token::Type::SUBSCRIBE: subscribe_succeeded(token); break;
            case mqtt::token::Type::PUBLISH:
                mailbox_->put(serial_, link_event::Answered{number_of(token), {Delivery::taken, 0}});
                break;
            default: break;
        }
    } catch (const std::exception&) {
        mailbox_->put(serial_, link_event::Lost{0, "an answer could not be read"});
    }
}

void LinkClient::on_failure(const mqtt::token& token) {
    try {
        const int code = token.get_return_code();
        const int reason = v5() ? static_cast<int>(token.get_reason_code()) : 0;
        switch (token.get_type()) {
            case mqtt::token::Type::CONNECT: connect_failed(token); break;
            case mqtt::token::Type::SUBSCRIBE:
                mailbox_->put(serial_, link_event::Subscribed{number_of(token), false,
                                                              static_cast<std::uint8_t>(reason != 0 ? reason : code)});
                break;
            case mqtt::token::Type::PUBLISH:
                mailbox_->put(serial_, link_event::Answered{number_of(token), failed_publication(code, reason, v5())});
                break;
            default: break;
        }
    } catch (const std::exception&) {
        mailbox_->put(serial_, link_event::Lost{0, "a failure could not be read"});
    }
}

void LinkClient::connected(const mqtt::token& token) {
    mailbox_->put(serial_, link_event::Up{granted_by(token.get_connect_response(), v5())});
}

void LinkClient::connect_failed(const mqtt::token& token) {
    std::string text;
    try {
        token.get_connect_response();  // the one way to the error text that 1.2 and later share: it throws it
    } catch (const std::exception& e) {
        text = e.what();
    }
    int said = 0;
    const int reason = v5() ? static_cast<int>(token.get_reason_code()) : 0;
    ConnectFailure failure = connect_failure(token.get_return_code(), reason, v5(), said);
    if (failure == ConnectFailure::unreachable && text.find("timeout") != std::string::npos) {
        failure = ConnectFailure::timeout;  // the library has one code for both
    }
    mailbox_->put(serial_, link_event::Failed{failure, said, std::move(text)});
}

// SUBACK 0 to 2 is the granted QoS, 0x80 and above a refusal, which 3.1.1 and some versions report as success.
void LinkClient::subscribe_succeeded(const mqtt::token& token) {
    std::uint8_t reason = 0;
    const mqtt::subscribe_response response = token.get_subscribe_response();
    for (const mqtt::ReasonCode code : response.get_reason_codes()) {
        reason = std::max(reason, static_cast<std::uint8_t>(code));
    }
    mailbox_->put(serial_, link_event::Subscribed{number_of(token), reason < 0x80, reason});
}

}  // namespace gwatt::runtime
