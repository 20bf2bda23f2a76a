#include "plugins/mail/imap_session.h"

#include <libetpan/mailstream.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

namespace reprise::mail {
namespace {

constexpr size_t kLastMax = 1024;
constexpr size_t kBuffer = 32 << 10;
// An answer without its bodies is held in memory, in a form several times as large: a thousand messages listed are 200 kB.
constexpr int64_t kAnswerMax = 8 << 20;
// After a failure, what still comes of bodies is read and dropped, up to this: the session goes on.
constexpr uint64_t kDroppedMax = 16 << 20;
// Also what a count below zero becomes, after more EXPUNGE than there were messages.
constexpr uint32_t kMessagesMax = 1u << 31;

std::string Base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

}  // namespace

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c != '\r' && c != '\n' && c != '\0') out += c;
  }
  return out + '"';
}

ImapSession::ImapSession(const sdk::Context& context, const Profile& profile, const std::string& user, Credentials& credentials,
                         Flow& flow)
    : context_(context), stream_(context, profile.endpoint, flow), imap_(mailimap_new(0, nullptr)) {
  if (imap_ == nullptr) throw std::bad_alloc();
  bool greeted = false;
  try {
    Greet();
    greeted = true;
    LogIn(profile, user, credentials);
    LearnCapabilities();
  } catch (const StoreError& error) {
    Close();
    if (error.code() != "connection_lost") throw;
    // Nothing was under way yet: what counts is the server's reason. Dovecot gives none when it knows no such mailbox.
    if (!error.cause().empty()) throw StoreError(error.cause(), error.what(), error.said());
    if (!greeted) throw StoreError("unreachable", error.what(), error.said());
    throw StoreError("login_cut", "the server ends the connection while this user logs in; has it such a mailbox?", error.said());
  } catch (...) {
    Close();
    throw;
  }
}

ImapSession::~ImapSession() {
  if (!over_ && failure_ == nullptr) {
    try {
      stream_.Write("Z LOGOUT\r\n");  // Nobody waits for the answer.
    } catch (const std::exception&) {
      failure_ = std::current_exception();
    }
  }
  Close();
}

void ImapSession::Close() {
  // With its stream libetpan would log out, and wait.
  if (imap_->imap_stream != nullptr) mailstream_close(imap_->imap_stream);
  imap_->imap_stream = nullptr;
  mailimap_free(imap_);
}

ssize_t ImapSession::ReadLow(mailstream_low* low, void* into, size_t max) {
  auto& self = *static_cast<ImapSession*>(low->data);
  try {
    if (self.answer_bytes_ > kAnswerMax) throw StoreError("bad_answer", "an answer of the mail server has no end");
    const size_t count = self.stream_.Read(static_cast<char*>(into), max);
    self.answer_bytes_ += static_cast<int64_t>(count);
    const size_t kept = std::min(count, kLastMax);
    self.last_.append(static_cast<char*>(into) + (count - kept), kept);
    if (self.last_.size() > 2 * kLastMax) self.last_.erase(0, self.last_.size() - kLastMax);
    return static_cast<ssize_t>(count);
  } catch (...) {
    self.failure_ = std::current_exception();
    return -1;
  }
}

ssize_t ImapSession::WriteLow(mailstream_low* low, const void* bytes, size_t size) {
  auto& self = *static_cast<ImapSession*>(low->data);
  try {
    self.stream_.Write({static_cast<const char*>(bytes), size});
    return static_cast<ssize_t>(size);
  } catch (...) {
    self.failure_ = std::current_exception();
    return -1;
  }
}

void ImapSession::Greet() {
  driver_.mailstream_read = ReadLow;
  driver_.mailstream_write = WriteLow;
  driver_.mailstream_close = [](mailstream_low*) { return 0; };
  driver_.mailstream_get_fd = [](mailstream_low*) { return -1; };
  driver_.mailstream_free = [](mailstream_low* low) { free(low); };
  driver_.mailstream_cancel = [](mailstream_low*) {};
  driver_.mailstream_get_cancel = [](mailstream_low*) -> struct mailstream_cancel* { return nullptr; };
  driver_.mailstream_get_certificate_chain = [](mailstream_low*) -> carray* { return nullptr; };
  driver_.mailstream_setup_idle = [](mailstream_low*) { return -1; };
  driver_.mailstream_unsetup_idle = [](mailstream_low*) { return 0; };
  driver_.mailstream_interrupt_idle = [](mailstream_low*) { return 0; };
  mailstream_low* low = mailstream_low_new(this, &driver_);
  mailstream* stream = low == nullptr ? nullptr : mailstream_new(low, kBuffer);
  if (stream == nullptr) throw std::bad_alloc();
  const int greeted = mailimap_connect(imap_, stream);
  if (greeted == MAILIMAP_NO_ERROR_NON_AUTHENTICATED) return;
  if (greeted == MAILIMAP_ERROR_PARSE) Check(greeted, 0, "the connection");
  // PREAUTH would be somebody else's mailbox, perhaps.
  Broken("the greeting");
}

void ImapSession::LogIn(const Profile& profile, const std::string& user, Credentials& credentials) {
  Credentials::Held secret = credentials.For(user);
  try {
    TryToLogIn(profile, user, secret->text());
  } catch (const StoreError& error) {
    if (WhetherAgain(error.code()) != Again::kNewSecret || over_ || failure_ != nullptr) throw;
    const Credentials::Held fresh = credentials.After(user, secret);
    if (fresh == nullptr) throw;
    TryToLogIn(profile, user, fresh->text());
  }
  imap_->imap_state = MAILIMAP_STATE_AUTHENTICATED;
}

void ImapSession::TryToLogIn(const Profile& profile, const std::string& user, std::string_view secret) {
  const std::string name = Expand(profile.login, user);
  const int tag = ++imap_->imap_tag;
  std::string line = std::to_string(tag) + " ";
  line.reserve(64 + 3 * (name.size() + secret.size()));  // It never grows: no copy of a secret is left behind.
  if (profile.auth == Auth::kLogin) {
    const bool quotable = std::all_of(secret.begin(), secret.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
    if (!quotable) throw StoreError("auth_failed", "the password has characters that LOGIN cannot have: use auth plain");
    std::string quoted = Quoted(secret);
    line += "LOGIN " + Quoted(name) + " ";
    line += quoted;
    Wipe(quoted);
  } else {
    std::string said;
    said.reserve(32 + name.size() + secret.size());
    if (profile.auth == Auth::kXoauth2) {
      said += "user=";
      said += name;
      said += "\1auth=Bearer ";
      said += secret;
      said += "\1\1";
    } else {
      said += '\0';
      said += name;
      said += '\0';
      said += secret;
    }
    std::string coded = Base64(said);
    Wipe(said);
    line += profile.auth == Auth::kXoauth2 ? "AUTHENTICATE XOAUTH2" : "AUTHENTICATE PLAIN";
    // An initial response where the server did not say that it takes one: all servers of the profiles do but old ones.
    if (capabilities_.empty()) LearnCapabilities();
    if (Can("SASL-IR")) {
      line += ' ';
      line += coded;
      Wipe(coded);
    } else {
      line += "\r\n";
      stream_.Write(line);
      if (!Continues()) Finish(tag, "AUTHENTICATE");
      line = std::move(coded);
    }
  }
  line += "\r\n";
  stream_.Write(line);  // Not through libetpan, whose buffers nobody wipes.
  Wipe(line);
  // A refused token is explained first, and the explanation must be answered (RFC 7628, 3.2.3).
  if (Continues()) stream_.Write("\r\n");
  Finish(tag, profile.auth == Auth::kLogin ? "LOGIN" : "AUTHENTICATE");
}

void ImapSession::LearnCapabilities() {
  Ask("CAPABILITY", "CAPABILITY");
  capabilities_.clear();
  const mailimap_capability_data* data = imap_->imap_connection_info->imap_capability;
  for (clistiter* one = data == nullptr ? nullptr : clist_begin(data->cap_list); one != nullptr; one = clist_next(one)) {
    const auto* capability = static_cast<struct mailimap_capability*>(clist_content(one));
    const bool auth = capability->cap_type == MAILIMAP_CAPABILITY_AUTH_TYPE;
    const char* name = auth ? capability->cap_data.cap_auth_type : capability->cap_data.cap_name;
    if (name == nullptr) continue;
    std::string upper = auth ? std::string("AUTH=") + name : std::string(name);
    std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    capabilities_.insert(upper);
  }
}

int ImapSession::Begin(std::string_view text) {
  if (over_) throw StoreError("connection_lost", "the connection was given up before");
  const int tag = ++imap_->imap_tag;
  Write(std::to_string(tag) + " ");
  Write(text);
  return tag;
}

void ImapSession::Write(std::string_view bytes) {
  if (mailstream_write(imap_->imap_stream, bytes.data(), bytes.size()) < 0) Broken("a command");
}

void ImapSession::Flush() {
  if (mailstream_flush(imap_->imap_stream) < 0) Broken("a command");
}

bool ImapSession::Continues() {
  Flush();
  answer_bytes_ = 0;
  for (;;) {
    if (!line_read_ && mailimap_read_line(imap_) == nullptr) Broken("a command");
    line_read_ = true;
    const MMAPString& line = *imap_->imap_stream_buffer;
    const char first = line.len > 0 ? line.str[0] : '\0';
    if (first != '+' && first != '*') return false;  // The answer already: Finish reads on from here.
    line_read_ = false;
    // What the server says unasked meanwhile ("* 3 EXISTS") is not needed.
    if (first == '+') return true;
  }
}

void ImapSession::Finish(int tag, std::string_view name) {
  Flush();
  answer_bytes_ = 0;
  if (!line_read_ && mailimap_read_line(imap_) == nullptr) Broken(name);
  line_read_ = false;
  // libetpan takes an answer only for the newest command. Answers come in the order of commands.
  const int newest = std::exchange(imap_->imap_tag, tag);
  mailimap_response* response = nullptr;
  const int result = mailimap_parse_response(imap_, &response);
  imap_->imap_tag = newest;
  Check(result, tag, name);
  if (const clist* gone = info().rsp_expunged; gone != nullptr) expunged_ += static_cast<uint64_t>(clist_count(gone));
  const int state = response->rsp_resp_done->rsp_data.rsp_tagged->rsp_cond_state->rsp_type;
  mailimap_response_free(response);
  if (selection() != nullptr && selection()->sel_exists > kMessagesMax) {
    Abandon();
    throw StoreError("bad_answer", "the mail server says that a folder has more messages than there can be");
  }
  if (state == MAILIMAP_RESP_COND_STATE_OK) return;
  const auto refused = Refused(tag, name);
  throw refused ? *refused : RefusalOf(name, "", imap_->imap_response == nullptr ? "" : imap_->imap_response);
}

std::optional<StoreError> ImapSession::Refused(int tag, std::string_view name) const {
  // From the line itself: of the codes that it knows, libetpan makes something else.
  const std::string mark = std::to_string(tag) + " ";
  for (size_t at = last_.rfind(mark); at != std::string::npos; at = at == 0 ? std::string::npos : last_.rfind(mark, at - 1)) {
    if (at > 0 && last_[at - 1] != '\n') continue;
    std::string_view words = std::string_view(last_).substr(at + mark.size());
    words = words.substr(0, words.find_first_of("\r\n"));
    if (words.substr(0, 3) != "NO " && words.substr(0, 4) != "BAD ") continue;
    words.remove_prefix(words.find(' ') + 1);
    const bool has_code = !words.empty() && words[0] == '[';
    return RefusalOf(name, has_code ? words.substr(1, words.find_first_of(" ]") - 1) : "", words);
  }
  return std::nullopt;
}

void ImapSession::Ask(const std::string& command, std::string_view name) {
  const int tag = Begin(command);
  Write("\r\n");
  Finish(tag, name);
}

void ImapSession::AskForBodies(const std::string& command, std::string_view name, Bodies& bodies) {
  struct Taker {
    Bodies& bodies;
    int64_t& answer_bytes;
    std::exception_ptr failure;
    uint64_t dropped = 0;
  } taker{bodies, answer_bytes_, nullptr};
  const auto take = [](int, mailimap_msg_att_body_section*, const char* bytes, size_t size, void* context) {
    auto& it = *static_cast<Taker*>(context);
    it.answer_bytes -= static_cast<int64_t>(size);
    try {
      if (it.failure == nullptr) it.bodies.Bytes({bytes, size});
    } catch (...) {
      it.failure = std::current_exception();
    }
    if (it.failure != nullptr) it.dropped += size;
    return it.dropped <= kDroppedMax;
  };
  const auto end = [](mailimap_msg_att* response, void* context) {
    auto& it = *static_cast<Taker*>(context);
    try {
      if (it.failure == nullptr) it.bodies.End(*response);
    } catch (...) {
      it.failure = std::current_exception();
    }
  };
  mailimap_set_msg_body_handler(imap_, take, &taker);
  mailimap_set_msg_att_handler(imap_, end, &taker);
  // Without it libetpan does not call the one for responses.
  mailimap_set_progress_callback(imap_, nullptr, [](size_t, size_t, void*) {}, nullptr);
  std::exception_ptr refused;
  try {
    Ask(command, name);
  } catch (...) {
    refused = std::current_exception();
  }
  mailimap_set_msg_body_handler(imap_, nullptr, nullptr);
  mailimap_set_msg_att_handler(imap_, nullptr, nullptr);
  mailimap_set_progress_callback(imap_, nullptr, nullptr, nullptr);
  if (taker.dropped > kDroppedMax) Abandon();
  if (taker.failure != nullptr) std::rethrow_exception(taker.failure);
  if (refused != nullptr) std::rethrow_exception(refused);
}

void ImapSession::Select(const std::string& wire_name, bool to_write) {
  const std::string_view name = to_write ? "SELECT" : "EXAMINE";
  const auto forget = [&](mailimap_selection_info* instead) {
    if (imap_->imap_selection_info != nullptr) mailimap_selection_info_free(imap_->imap_selection_info);
    imap_->imap_selection_info = instead;
  };
  forget(mailimap_selection_info_new());  // Where libetpan puts what the server says.
  if (imap_->imap_selection_info == nullptr) throw std::bad_alloc();
  try {
    Ask(std::string(name) + " " + Quoted(wire_name), name);
  } catch (...) {
    forget(nullptr);
    throw;
  }
}

void ImapSession::Check(int result, int tag, std::string_view name) {
  switch (result) {
    case MAILIMAP_NO_ERROR: return;
    case MAILIMAP_ERROR_MEMORY:
      Abandon();
      throw StoreError("bad_answer", "there is not enough memory for what the mail server answers to " + std::string(name));
    case MAILIMAP_ERROR_PROTOCOL:
      if (const auto refused = Refused(tag, name)) throw *refused;
      // No BAD, but the answer to another command: what became of this one, nobody knows.
      Abandon();
      throw StoreError("bad_answer", "the mail server answers to another command than " + std::string(name));
    case MAILIMAP_ERROR_PARSE:
      Abandon();
      throw StoreError("bad_answer", "what the mail server answers to " + std::string(name) + " cannot be read");
    default: Broken(name);
  }
}

void ImapSession::Abandon() { over_ = true; }

void ImapSession::Broken(std::string_view name) {
  Abandon();
  const StoreError farewell = FarewellOf(last_);
  if (!farewell.cause().empty()) throw farewell;
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  throw StoreError("connection_lost", "the mail server ended the session after " + std::string(name), farewell.said());
}

}  // namespace reprise::mail
