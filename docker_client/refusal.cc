#include <algorithm>

#include "docker_client/client.h"
#include "docker_client/json.h"

namespace plumb::docker {

namespace {

constexpr std::size_t kSentenceLimit = 400;

std::string_view name_of_status(int status) {
  if (status < 400) return "redirected";
  switch (status) {
    case 400: return "bad request";
    case 401: return "login required";
    case 403: return "forbidden";
    case 404: return "not found";
    case 409: return "conflict";
    case 500: return "internal error of the engine";
    case 502: return "bad gateway";
    case 503: return "service unavailable";
    case 504: return "gateway timeout";
    default: return "refused";
  }
}

// The text of an HTML page: what is between the tags.
std::string without_tags(std::string_view html) {
  std::string text;
  bool in_tag = false;
  for (const char c : html) {
    if (c == '<') {
      in_tag = true;
      text += ' ';
    } else if (c == '>') {
      in_tag = false;
    } else if (!in_tag) {
      text += c;
    }
  }
  return text;
}

// One line, single spaces, no control characters, not too long.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= 0x20 || c == '\x7f';
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (line.size() > kSentenceLimit) {
    line.resize(kSentenceLimit);
    line += "...";
  }
  return line;
}

ErrorKind kind_of(std::string_view body, int status) {
  if (status < 400) return ErrorKind::unsupported;
  switch (status) {
    case 401:
    case 403: return ErrorKind::permission;
    case 404: return says_absent(body) ? ErrorKind::not_found : ErrorKind::unsupported;
    case 501: return ErrorKind::unsupported;
    case 502:
    case 503:
    case 504: return ErrorKind::unreachable;
    default: return ErrorKind::refused;
  }
}

std::string advice_on(ErrorKind kind, int status) {
  switch (kind) {
    case ErrorKind::permission:
      return "An authorization plugin of the engine, or a proxy before its socket, refuses plumb: see their settings.";
    case ErrorKind::unreachable:
      return "The engine is starting, stopping or overloaded, or a proxy does not reach it: see its log, and try "
             "again.";
    case ErrorKind::unsupported:
      return status == 501 ? "" : "What answers does not speak the Engine API: see that DOCKER_HOST names an engine.";
    default: return {};
  }
}

}  // namespace

bool says_absent(std::string_view body) {
  const Json json = Json::parse(body.begin(), body.end(), nullptr, false);
  const std::string message = text_of(json, "message");
  return message.empty() ? !text_of(json, "cause").empty() : message != "page not found";
}

Err refusal_of(const std::string& place, std::string_view body, int status) {
  const ErrorKind kind = kind_of(body, status);
  return {kind, place + ": " + error_message(body, status), advice_on(kind, status), status};
}

std::string error_message(std::string_view body, int status) {
  const Json json = Json::parse(body.begin(), body.end(), nullptr, false);
  std::string message;
  if (json.is_object()) {
    message = text_of(json, "message");
    // Podman's message is mostly its cause with more words before it, but not always.
    const std::string cause = text_of(json, "cause");
    if (!cause.empty() && message.find(cause) == std::string::npos)
      message += message.empty() ? cause : " (" + cause + ")";
  } else if (!json.is_structured()) {
    message = without_tags(body);
  }
  message = one_line(message);
  if (!message.empty()) return message;
  return std::string(name_of_status(status)) + " (HTTP status " + std::to_string(status) + " without a reason)";
}

}  // namespace plumb::docker
