// Makes DICOM files and storages as Orthanc lays them out, of invented patients.
#pragma once

#include <zlib.h>

#include <random>
#include <string>
#include <vector>

#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::pacs {

namespace fs = std::filesystem;

inline std::string Element(uint16_t group, uint16_t tag, const std::string& kind, std::string value) {
  if (value.size() % 2 != 0) value += kind == "UI" ? '\0' : ' ';
  const auto number = [](uint32_t n, size_t bytes) {
    std::string text;
    for (size_t i = 0; i < bytes; ++i) text += static_cast<char>(n >> 8 * i & 0xff);
    return text;
  };
  const bool is_long = kind == "OB" || kind == "OW" || kind == "SQ";
  const uint32_t size = static_cast<uint32_t>(value.size());
  return number(group, 2) + number(tag, 2) + kind + (is_long ? number(0, 2) + number(size, 4) : number(size, 2)) + value;
}

inline std::string Short(uint16_t n) { return {static_cast<char>(n & 0xff), static_cast<char>(n >> 8)}; }

struct ImageSpec {
  int patient = 1, study = 1, series = 1, image = 1;
  uint16_t side = 32;
  bool pixels = true;
  unsigned seed = 0;

  std::string study_uid() const { return "1.2.826.0.1.3680043.2.1143." + std::to_string(patient) + "." + std::to_string(study); }
  std::string series_uid() const { return study_uid() + "." + std::to_string(series); }
  std::string uid() const { return series_uid() + "." + std::to_string(image); }
};

inline std::string Dicom(const ImageSpec& spec) {
  const std::string kClass = "1.2.840.10008.5.1.4.1.1.2";
  const std::string meta = Element(2, 1, "OB", std::string("\0\1", 2)) + Element(2, 2, "UI", kClass) +
                           Element(2, 3, "UI", spec.uid()) + Element(2, 0x10, "UI", "1.2.840.10008.1.2.1");
  std::mt19937 random(static_cast<unsigned>(std::hash<std::string>()(spec.uid())) + spec.seed);
  std::string pixels(static_cast<size_t>(spec.side) * spec.side * 2, '\0');
  for (char& byte : pixels) byte = static_cast<char>(random());
  std::string data = Element(8, 0x16, "UI", kClass) + Element(8, 0x18, "UI", spec.uid()) + Element(8, 0x60, "CS", "CT") +
                     Element(0x10, 0x10, "PN", "EXAMPLE^PATIENT") + Element(0x10, 0x20, "LO", "P" + std::to_string(spec.patient)) +
                     Element(0x20, 0xd, "UI", spec.study_uid()) + Element(0x20, 0xe, "UI", spec.series_uid()) +
                     Element(0x28, 2, "US", Short(1)) + Element(0x28, 4, "CS", "MONOCHROME2") +
                     Element(0x28, 0x10, "US", Short(spec.side)) + Element(0x28, 0x11, "US", Short(spec.side)) +
                     Element(0x28, 0x100, "US", Short(16)) + Element(0x28, 0x101, "US", Short(12)) +
                     Element(0x28, 0x102, "US", Short(11)) + Element(0x28, 0x103, "US", Short(0));
  if (spec.pixels) data += Element(0x7fe0, 0x10, "OW", pixels);
  return std::string(128, '\0') + "DICM" + Element(2, 0, "UL", {static_cast<char>(meta.size()), '\0', '\0', '\0'}) + meta + data;
}

// As Orthanc compresses: the length, then zlib.
inline std::string Compressed(const std::string& plain) {
  std::string out(compressBound(plain.size()), '\0');
  uLongf size = out.size();
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(plain.data()), plain.size());
  out.resize(size);
  std::string length;
  for (int i = 0; i < 8; ++i) length += static_cast<char>(plain.size() >> 8 * i & 0xff);
  return length + out;
}

// A storage folder; each file gets the next name of the form that Orthanc gives.
class StorageMaker {
 public:
  explicit StorageMaker(fs::path folder) : folder_(std::move(folder)) { fs::create_directories(folder_); }

  // The path relative to the folder.
  std::string Add(const std::string& content) {
    char name[40];
    ++count_;
    std::snprintf(name, sizeof name, "%08x-1d3a-4c5e-9f00-%012x", 0x9e3779b9u * count_, count_);
    const fs::path path = fs::path(std::string(name, 2)) / std::string(name + 2, 2) / name;
    AddAs(path, content);
    return path.string();
  }
  void AddAs(const fs::path& path, const std::string& content) {
    fs::create_directories((folder_ / path).parent_path());
    Spit(folder_ / path, content);
  }
  // patients × 2 studies × 2 series × images.
  void AddImages(int patients, int images) {
    for (int p = 1; p <= patients; ++p)
      for (int st = 1; st <= 2; ++st)
        for (int se = 1; se <= 2; ++se)
          for (int i = 1; i <= images; ++i) Add(Dicom({.patient = p, .study = st, .series = se, .image = i}));
  }
  const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
  unsigned count_ = 0;
};

}  // namespace reprise::pacs
