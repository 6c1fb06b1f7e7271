#include "fleet/ledger.hpp"

#include <algorithm>

namespace gwatt::fleet {

void Ledger::catalog(const Envelope& from, const proto::Catalog& message) {
    if (take(from, message.header, proto::Stream::catalog) != Verdict::refuse) next_.catalog(from, message);
}

void Ledger::status(const Envelope& from, const proto::Status& message) {
    // A will is written before the connection it speaks of: it carries no number of its own.
    if (message.header.sequence == 0) {
        ++books_.used;
        next_.status(from, message);
        return;
    }
    if (take(from, message.header, proto::Stream::status) != Verdict::refuse) next_.status(from, message);
}

void Ledger::live(const Envelope& from, const proto::Live& message, const proto::Catalog& catalog) {
    if (take(from, message.header, proto::Stream::live) == Verdict::hand_on) next_.live(from, message, catalog);
}

void Ledger::data(const Envelope& from, const proto::Data& message, const proto::Catalog& catalog) {
    if (take(from, message.header, proto::Stream::data) == Verdict::hand_on) next_.data(from, message, catalog);
}

Ledger::Verdict Ledger::take(const Envelope& from, const proto::Header& header, proto::Stream stream) {
    if (from.agent >= agents_.size()) agents_.resize(from.agent + 1);
    Boot* boot = boot_of(agents_[from.agent], header.boot);
    if (!boot) {
        books_.reject(Reason::forgotten_boot);
        return Verdict::refuse;
    }
    boot->touched = ++touches_;
    switch (boot->taken[static_cast<std::size_t>(stream)].take(header.sequence)) {
        case SequenceSet::Take::next: ++books_.used; return Verdict::hand_on;
        case SequenceSet::Take::late: ++books_.late; return Verdict::hand_on;
        case SequenceSet::Take::duplicate: ++books_.duplicate; return Verdict::repeat;
        case SequenceSet::Take::implausible: break;
    }
    books_.reject(Reason::implausible_sequence);
    return Verdict::refuse;
}

Ledger::Boot* Ledger::boot_of(Agent& agent, std::uint64_t id) {
    for (auto boot = agent.boots.rbegin(); boot != agent.boots.rend(); ++boot)
        if (boot->id == id) return &*boot;
    if (std::find(agent.forgotten.begin(), agent.forgotten.end(), id) != agent.forgotten.end()) return nullptr;
    if (agent.boots.size() >= boots_kept) forget_oldest(agent);
    agent.boots.emplace_back().id = id;
    ++boots_seen_;
    return &agent.boots.back();
}

void Ledger::forget_oldest(Agent& agent) {
    const auto oldest = std::min_element(agent.boots.begin(), agent.boots.end(),
                                         [](const Boot& a, const Boot& b) { return a.touched < b.touched; });
    for (const auto& taken : oldest->taken) lost_in_forgotten_ += taken.lost() + taken.missing();
    if (agent.forgotten.size() < boots_remembered) {
        agent.forgotten.push_back(oldest->id);
    } else {
        agent.forgotten[agent.next_forgotten] = oldest->id;
        agent.next_forgotten = (agent.next_forgotten + 1) % boots_remembered;
    }
    agent.boots.erase(oldest);
}

Ledger::Gaps Ledger::gaps() const {
    Gaps sum;
    sum.boots = boots_seen_;
    sum.lost = lost_in_forgotten_;
    for (const auto& agent : agents_) {
        for (const auto& boot : agent.boots) {
            for (const auto& taken : boot.taken) {
                sum.messages += taken.missing();
                sum.gaps += taken.gaps();
                sum.lost += taken.lost();
            }
        }
    }
    return sum;
}

}  // namespace gwatt::fleet
