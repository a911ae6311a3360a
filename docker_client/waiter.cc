#include "docker_client/waiter.h"

#include "docker_client/json.h"
#include "docker_client/query.h"

namespace plumb::docker {

namespace {

constexpr std::size_t kAnswerLimit = std::size_t{64} << 10U;

std::string_view word(WaitCondition condition) {
  switch (condition) {
    case WaitCondition::not_running: return "not-running";
    case WaitCondition::next_exit: return "next-exit";
    case WaitCondition::removed: return "removed";
  }
  return "not-running";
}

}  // namespace

struct Waiter::State {
  std::string body;
  std::optional<Exchange> exchange;  // none: there was no such container
};

Waiter::Waiter(std::unique_ptr<State> state) : state_(std::move(state)) {}
Waiter::Waiter(Waiter&&) noexcept = default;
Waiter& Waiter::operator=(Waiter&&) noexcept = default;
Waiter::~Waiter() = default;

Result<Waiter> Waiter::open(Client& client, const std::string& id, WaitCondition condition, const Call& call) {
  if (id.empty()) return Err{ErrorKind::usage, "wait for container: its name is empty"};
  Query query("/containers/" + percent_encode(id) + "/wait");
  query.add("condition", word(condition));
  // A second subscription does no harm, but a kept-alive connection that drops would subscribe too late unnoticed.
  Request request{.method = Method::post, .path = std::move(query).str(), .what = "wait for container " + id};
  request.idempotent = false;
  if (condition == WaitCondition::removed) request.accept = {404};
  auto state = std::make_unique<State>();
  const Sink keep = [answer = &state->body, what = client.place(request.what)](std::string_view bytes) -> Result<void> {
    if (answer->size() + bytes.size() > kAnswerLimit)
      return Err{ErrorKind::failed, what + ": the engine's answer is too big"};
    *answer += bytes;
    return {};
  };
  Exchange exchange = TRY(client.begin(request, keep, call));
  if (exchange.status() != 404) state->exchange = std::move(exchange);
  return Waiter(std::move(state));
}

Result<Exit> Waiter::wait(const Call& call) {
  if (!state_->exchange) return Exit{.gone = true};
  TRY(state_->exchange->finish(call));
  return answered(decode_exit(state_->body), state_->exchange->place());
}

Result<Exit> decode_exit(std::string_view text) {
  const Json json = TRY(parse_object(text, "wait for container"));
  return Exit{.status = static_cast<int>(number_of(json, "StatusCode")),
              .error = text_of(member(json, "Error"), "Message")};
}

}  // namespace plumb::docker
