// Records golden vectors of Ceph's types: what the library's own encoders make of its own test instances.
//
//   g++ -std=c++17 -O1 -o /tmp/record-types scripts/record-types.cc -ldl
//   /tmp/record-types test/vectors/types [/usr/lib/x86_64-linux-gnu/ceph/libceph-common.so.2]
//
// Needs no header of Ceph's: everything is found in the installed library by its mangled name and called
// through plain function pointers. A list is 256 opaque bytes that the library itself constructs; test
// instances are pointers nobody here looks behind. What each call relies on is the Itanium C++ ABI: a
// returned object's address goes first, then `this`.
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <list>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

static void *library;

template <class F> static F symbol(const std::string &name) {
  void *found = dlsym(library, name.c_str());
  if (found == nullptr) {
    fprintf(stderr, "the library has no %s\n", name.c_str());
    exit(1);
  }
  return reinterpret_cast<F>(found);
}

struct alignas(16) Opaque {
  char bytes[4096];
};

// ceph::buffer::list: empty, built by the library over no memory at all.
static void make_list(Opaque &list) {
  static auto make =
      symbol<void (*)(void *, char *, size_t)>("_ZN4ceph6buffer7v15_2_04list15static_from_memEPcm");
  static char nothing[1];
  make(&list, nothing, 0);
}

static std::string bytes_of(const Opaque &list) {
  static auto to_str =
      symbol<std::string (*)(const void *)>("_ZNK4ceph6buffer7v15_2_04list6to_strB5cxx11Ev");
  return to_str(&list);
}

// T::dump through a JSON formatter: the fields by upstream's names.
static std::string dump_of(const std::string &mangled, const void *instance) {
  auto construct = symbol<void (*)(void *, bool)>("_ZN4ceph13JSONFormatterC1Eb");
  auto flush = symbol<void (*)(void *, std::ostream &)>("_ZN4ceph13JSONFormatter5flushERSo");
  auto open = symbol<void (*)(void *, std::string_view)>(
      "_ZN4ceph13JSONFormatter19open_object_sectionESt17basic_string_viewIcSt11char_traitsIcEE");
  auto close = symbol<void (*)(void *)>("_ZN4ceph13JSONFormatter13close_sectionEv");
  auto dump = symbol<void (*)(const void *, void *)>("_ZNK" + mangled + "4dumpEPN4ceph9FormatterE");
  Opaque formatter{};
  construct(&formatter, false);
  open(&formatter, "x");
  dump(instance, &formatter);
  close(&formatter);
  std::ostringstream out;
  flush(&formatter, out);
  return out.str();
}

struct Type {
  const char *name;
  bool features;  // does its encode take the peer's features?
  // Encodings of ours for what upstream's instances leave out. The library decodes them, and what is
  // recorded is its own encoding of what it understood.
  std::vector<const char *> inputs = {};
};

static const std::vector<Type> TYPES = {
    {"entity_addrvec_t",
     true,
     {// IPv4: messenger 2 and 1.
      "02020000000101011c00000002000000000000001000000002000ce40a0102030000000000000000"
      "0101011c000000010000004d0000001000000002001a850a0102030000000000000000",
      // IPv6: fe80::1:0:0:2 and ::1.
      "02020000000101012800000002000000050000001c0000000a00ffff00000000fe80000000000000"
      "0001000000000002000000000101012800000003000000ffffffff1c0000000a0000000000000000"
      "00000000000000000000000000000100000000",
      // No sockaddr.
      "02010000000101010c000000030000000900000000000000"}},
    {"hobject_t",
     false,
     {// Bytes that are not text in key and name.
      "04032f000000020000006bff0b0000007262645f646174612e3100feffffffffffffffefbeadde00"
      "010000006e0700000000000000"}},
    {"object_locator_t", false},
    {"SnapSet",
     false,
     {// Two clones, the older one sharing two extents.
      "0302b500000009000000000000000100000000020000000300000000000000090000000000000002"
      "00000003000000000000000200000000000000000000000010000000000000000001000000000000"
      "00020000000000090000000000000000000000020000000300000000000000000040000000000009"
      "00000000000000002000000000000002000000030000000000000002000000030000000000000002"
      "000000000000000900000000000000010000000900000000000000"}},
    {"request_redirect_t", false},
    {"LogEntry", true},
};

// What 16.2 advertises.
static const uint64_t FEATURES = 0x3f01cfbdfffdffffull;

// Decodes hex digits into an instance that the library made. The list's memory is never freed: buffers
// may refer to it as long as the program runs.
static void decode_into(const std::string &mangled, void *instance, const std::string &hex) {
  auto &bytes = *new std::string;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  auto &list = *new Opaque{};
  symbol<void (*)(void *, char *, size_t)>("_ZN4ceph6buffer7v15_2_04list15static_from_memEPcm")(
      &list, bytes.data(), bytes.size());
  Opaque iterator{};
  symbol<void (*)(void *, const void *, unsigned)>(
      "_ZN4ceph6buffer7v15_2_04list13iterator_implILb1EEC1EPKS2_j")(&iterator, &list, 0);
  symbol<void (*)(void *, void *)>(
      "_ZN" + mangled + "6decodeERN4ceph6buffer7v15_2_04list13iterator_implILb1EEE")(instance, &iterator);
}

static void record(const Type &type, const std::string &outdir) {
  std::string mangled = std::to_string(std::string(type.name).size()) + type.name;
  auto generate = symbol<void (*)(std::list<void *> &)>(
      "_ZN" + mangled + "23generate_test_instancesERNSt7__cxx114listIPS_SaIS2_EEE");
  std::string encode_name = "_ZNK" + mangled + "6encodeERN4ceph6buffer7v15_2_04listE";
  std::list<void *> instances;
  generate(instances);
  for (const char *hex : type.inputs) {
    std::list<void *> fresh;
    generate(fresh);
    decode_into(mangled, fresh.front(), hex);
    instances.push_back(fresh.front());
  }
  std::ofstream out(outdir + "/" + type.name + ".json");
  out << "[";
  const char *separator = "\n";
  for (void *instance : instances) {
    Opaque list{};
    make_list(list);
    if (type.features)
      symbol<void (*)(const void *, void *, uint64_t)>(encode_name + "m")(instance, &list, FEATURES);
    else
      symbol<void (*)(const void *, void *)>(encode_name)(instance, &list);
    out << separator << "  {\"hex\": \"";
    char digits[3];
    for (unsigned char byte : bytes_of(list)) {
      snprintf(digits, sizeof digits, "%02x", byte);
      out << digits;
    }
    out << "\", \"dump\": " << dump_of(mangled, instance) << "}";
    separator = ",\n";
  }
  out << "\n]\n";
  printf("%4zu %s\n", instances.size(), type.name);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: record-types OUTDIR [LIBRARY]\n");
    return 2;
  }
  const char *path = argc > 2 ? argv[2] : "/usr/lib/x86_64-linux-gnu/ceph/libceph-common.so.2";
  library = dlopen(path, RTLD_NOW);
  if (library == nullptr) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  for (const Type &type : TYPES) record(type, argv[1]);
}
