// libmodsecurity 3 as an oracle: requests in on stdin, what it made of them out on stdout.
//
//   modsecurity DETECTING.conf BLOCKING.conf VIEW,VIEW,...
//
// Every request runs through two rule sets: DETECTING, of which the logged rules and the TX variables VIEW are
// answered, and BLOCKING, of which the verdict is. The frames are those of ../coraza/wire.go.
//
// Targets, methods and protocols go in as C strings, as the library wants them; a NUL byte in a request's
// line never gets past an HTTP server.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <modsecurity/modsecurity.h>
#include <modsecurity/rule_message.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

namespace {

using modsecurity::ModSecurity;
using modsecurity::RulesSet;
using modsecurity::Transaction;
using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr uint32_t kAbsent = 0xffffffff;

struct Request {
    std::string method, uri, protocol;
    Pairs headers;
    std::string body;
    uint32_t response_status = 0;
    Pairs response_headers;
    std::string response_body;
};

struct Verdict {
    uint32_t status = 0, rule = 0;
};

class Cursor {
 public:
    explicit Cursor(std::string frame) : frame_(std::move(frame)) {}

    uint32_t number() {
        std::string bytes = take(4);
        uint32_t value = 0;
        for (unsigned char byte : bytes) value = value << 8 | byte;
        return value;
    }

    std::string text() { return take(number()); }

    Pairs pairs() {
        Pairs result;
        for (uint32_t count = number(); count > 0; count--) {
            std::string name = text();
            result.emplace_back(std::move(name), text());
        }
        return result;
    }

 private:
    std::string take(size_t length) {
        if (length > frame_.size() - at_) throw std::runtime_error("a frame ends early");
        at_ += length;
        return frame_.substr(at_ - length, length);
    }

    std::string frame_;
    size_t at_ = 0;
};

void append(std::string *frame, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) frame->push_back(static_cast<char>(value >> shift));
}

bool read_exactly(std::string *into, size_t length) {
    into->resize(length);
    return fread(&(*into)[0], 1, length, stdin) == length;
}

bool read_request(Request *request) {
    std::string bytes;
    if (!read_exactly(&bytes, 4)) return false;
    uint32_t length = Cursor(bytes).number();
    if (!read_exactly(&bytes, length)) throw std::runtime_error("a frame ends early");
    Cursor cursor(std::move(bytes));
    request->method = cursor.text();
    request->uri = cursor.text();
    request->protocol = cursor.text();
    request->headers = cursor.pairs();
    request->body = cursor.text();
    request->response_status = cursor.number();
    request->response_headers = cursor.pairs();
    request->response_body = cursor.text();
    return true;
}

// The rules that the transaction at hand has logged; the pointer comes back with each message.
void on_log(void *data, const void *message) {
    if (data == nullptr) return;
    auto *logged = static_cast<std::vector<uint32_t> *>(data);
    logged->push_back(static_cast<const modsecurity::RuleMessage *>(message)->m_ruleId);
}

bool stopped(Transaction *transaction, Verdict *verdict) {
    modsecurity::ModSecurityIntervention intervention;
    modsecurity::intervention::clean(&intervention);
    if (!transaction->intervention(&intervention)) return false;
    verdict->status = intervention.status;
    if (intervention.log != nullptr) {
        const std::string log = intervention.log;
        const auto at = log.find("[id \"");
        if (at != std::string::npos) verdict->rule = strtoul(log.c_str() + at + 5, nullptr, 10);
    }
    modsecurity::intervention::free(&intervention);
    return true;
}

// Phases 1 to 4, or up to the one that stops the request.
Verdict phases(Transaction *transaction, const Request &request) {
    Verdict verdict;
    const std::string slash = "HTTP/";
    const std::string version =
        request.protocol.compare(0, slash.size(), slash) == 0 ? request.protocol.substr(slash.size()) : request.protocol;
    transaction->processConnection("127.0.0.1", 51000, "127.0.0.1", 80);
    transaction->processURI(request.uri.c_str(), request.method.c_str(), version.c_str());
    for (const auto &header : request.headers) transaction->addRequestHeader(header.first, header.second);
    transaction->processRequestHeaders();
    if (stopped(transaction, &verdict)) return verdict;
    if (!request.body.empty()) {
        transaction->appendRequestBody(reinterpret_cast<const unsigned char *>(request.body.data()), request.body.size());
    }
    transaction->processRequestBody();
    if (stopped(transaction, &verdict)) return verdict;
    for (const auto &header : request.response_headers) transaction->addResponseHeader(header.first, header.second);
    transaction->processResponseHeaders(static_cast<int>(request.response_status), request.protocol);
    if (stopped(transaction, &verdict)) return verdict;
    if (!request.response_body.empty()) {
        transaction->appendResponseBody(
            reinterpret_cast<const unsigned char *>(request.response_body.data()), request.response_body.size());
    }
    transaction->processResponseBody();
    stopped(transaction, &verdict);
    return verdict;
}

void load(RulesSet *rules, const char *path) {
    if (rules->loadFromUri(path) < 0) throw std::runtime_error(std::string(path) + ": " + rules->getParserError());
}

std::string answer(ModSecurity *engine, RulesSet *detecting, RulesSet *blocking, const std::vector<std::string> &views,
                   const Request &request) {
    std::string frame;
    std::vector<uint32_t> logged, ignored;
    {
        Transaction transaction(engine, detecting, &logged);
        phases(&transaction, request);
        transaction.processLogging();
        append(&frame, logged.size());
        for (uint32_t id : logged) append(&frame, id);
        append(&frame, views.size());
        for (const auto &name : views) {
            auto value = transaction.m_collections.m_tx_collection->resolveFirst(name);
            append(&frame, value == nullptr ? kAbsent : value->size());
            if (value != nullptr) frame += *value;
        }
    }
    Transaction transaction(engine, blocking, &ignored);
    Verdict verdict = phases(&transaction, request);
    transaction.processLogging();
    append(&frame, verdict.status);
    append(&frame, verdict.rule);
    return frame;
}

std::vector<std::string> split(const std::string &list) {
    std::vector<std::string> result;
    std::istringstream stream(list);
    for (std::string name; std::getline(stream, name, ',');) result.push_back(name);
    return result;
}

void serve(char **arguments) {
    ModSecurity engine;
    engine.setServerLogCb(on_log, modsecurity::RuleMessageLogProperty);
    RulesSet detecting, blocking;
    load(&detecting, arguments[1]);
    load(&blocking, arguments[2]);
    const std::vector<std::string> views = split(arguments[3]);
    for (Request request; read_request(&request);) {
        const std::string frame = answer(&engine, &detecting, &blocking, views, request);
        std::string length;
        append(&length, frame.size());
        fwrite(length.data(), 1, length.size(), stdout);
        fwrite(frame.data(), 1, frame.size(), stdout);
        fflush(stdout);
    }
}

}  // namespace

int main(int count, char **arguments) {
    if (count != 4) {
        std::cerr << "usage: modsecurity DETECTING.conf BLOCKING.conf VIEW,VIEW,...\n";
        return 2;
    }
    try {
        serve(arguments);
    } catch (const std::exception &error) {
        std::cerr << "modsecurity: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
