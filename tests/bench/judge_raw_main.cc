// `bench-judge-raw THREADS PATH [--unpack]`: the least that judging can cost. Reads every file below PATH to its end and takes its
// SHA-256, with so many threads; prints one JSON object. Beside it stands the judge of backups, on the same files. With --unpack
// every file is a gzip, which zlib unpacks instead of the SHA-256: what comes out is thrown away.
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr size_t kPiece = 1 << 20;

void List(const std::string& folder, std::vector<std::string>& files) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir(folder.c_str()), closedir);
  if (!listing) {
    files.push_back(folder);  // A file.
    return;
  }
  while (const dirent* entry = readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = folder + "/" + entry->d_name;
    if (entry->d_type == DT_DIR) {
      List(path, files);
    } else if (entry->d_type == DT_REG) {
      files.push_back(path);
    }
  }
}

struct Total {
  std::atomic<uint64_t> files{0}, bytes{0}, failed{0};
};

// False: it does not unpack to its end.
class Unpacking {
 public:
  Unpacking() : ready_(inflateInit2(&stream_, 31) == Z_OK), out_(kPiece / 4, '\0') {}
  ~Unpacking() { inflateEnd(&stream_); }
  bool Take(std::string& bytes, size_t count) {
    stream_.next_in = reinterpret_cast<Bytef*>(bytes.data());
    stream_.avail_in = static_cast<uInt>(count);
    while (ready_ && !ended_ && stream_.avail_in > 0) {
      stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
      stream_.avail_out = static_cast<uInt>(out_.size());
      const int code = inflate(&stream_, Z_NO_FLUSH);
      ended_ = code == Z_STREAM_END;
      ready_ = ended_ || code == Z_OK;
    }
    return ready_;
  }
  bool ended() const { return ended_; }

 private:
  z_stream stream_{};
  bool ready_;
  bool ended_ = false;
  std::string out_;
};

void Unpack(const std::vector<std::string>& files, std::atomic<size_t>& next, Total& total) {
  std::string buffer(kPiece, '\0');
  for (size_t at; (at = next++) < files.size();) {
    const int fd = open(files[at].c_str(), O_RDONLY | O_CLOEXEC);
    Unpacking unpacking;
    ssize_t got;
    while ((got = read(fd, buffer.data(), buffer.size())) > 0 && unpacking.Take(buffer, static_cast<size_t>(got))) {
      total.bytes += static_cast<uint64_t>(got);
    }
    if (fd >= 0) close(fd);
    ++(unpacking.ended() ? total.files : total.failed);
  }
}

void Hash(const std::vector<std::string>& files, std::atomic<size_t>& next, Total& total) {
  EVP_MD* kind = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::string buffer(kPiece, '\0');
  for (size_t at; (at = next++) < files.size();) {
    const int fd = open(files[at].c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about {};
    if (fd < 0 || fstat(fd, &about) != 0) {
      ++total.failed;
      continue;
    }
    EVP_DigestInit_ex(context, kind, nullptr);
    uint64_t bytes = 0;
    while (bytes < static_cast<uint64_t>(about.st_size)) {
      const ssize_t got = read(fd, buffer.data(), buffer.size());
      if (got <= 0) break;
      EVP_DigestUpdate(context, buffer.data(), static_cast<size_t>(got));
      bytes += static_cast<uint64_t>(got);
    }
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context, digest, &size);
    close(fd);
    ++total.files;
    total.bytes += bytes;
  }
  EVP_MD_CTX_free(context);
  EVP_MD_free(kind);
}

}  // namespace

int main(int argc, char** argv) {
  const bool unpack = argc == 4 && argv[3] == std::string_view("--unpack");
  if (argc != 3 && !unpack) {
    std::fputs("usage: bench-judge-raw THREADS PATH [--unpack]\n", stderr);
    return 2;
  }
  const std::string_view asked = argv[1];
  int count = 0;
  if (std::from_chars(asked.data(), asked.data() + asked.size(), count).ec != std::errc() || count < 1) return 2;
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::string> files;
  List(argv[2], files);
  Total total;
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&] { (unpack ? Unpack : Hash)(files, next, total); });
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("{\"seconds\": %.6f, \"files\": %llu, \"bytes\": %llu, \"failed\": %llu}\n", took.count(),
              static_cast<unsigned long long>(total.files), static_cast<unsigned long long>(total.bytes),
              static_cast<unsigned long long>(total.failed));
  return total.failed == 0 ? 0 : 1;
}
