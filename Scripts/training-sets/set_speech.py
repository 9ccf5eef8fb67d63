"""speech: spoken words by eSpeak NG; identity = word, instances = voices, accents, speeds, pitches.

A point is what is heard: mel cepstra of twelve stretches of the utterance.
"""

import ctypes

import espeakng_loader
import numpy
from scipy.fft import dct

import common
import wordnet

ACCENTS = ("en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-gb-x-gbclan")
VARIANTS = ("m1", "m2", "m3", "m4", "m7", "f1", "f2", "f3", "f4", "f5", "croak", "klatt2")
RATE, PITCH = 1, 3  # espeak_PARAMETER
FRAME, STEP, BANDS, CEPSTRA, STRETCHES = 512, 220, 32, 16, 12


class Speaker:
    """eSpeak NG's library, which hands samples to a callback."""

    def __init__(self):
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.samples = []
        callback = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self.callback = callback(self.receive)  # kept: the library holds only its address
        # 2: synchronous, to the callback.
        self.hertz = self.library.espeak_Initialize(
            2, 0, espeakng_loader.get_data_path().encode(), 0)
        self.library.espeak_SetSynthCallback(self.callback)

    def receive(self, samples, count, events):
        if samples and count > 0:
            self.samples.append(numpy.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def say(self, word, voice, rate, pitch):
        """Samples from -1 to 1, without the silence at both ends."""
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"eSpeak NG has no voice {voice}")
        self.library.espeak_SetParameter(RATE, rate, 0)
        self.library.espeak_SetParameter(PITCH, pitch, 0)
        self.library.espeak_ng_SetRandSeed(ctypes.c_long(common.SEED))  # breath is noise
        self.samples = []
        text = word.encode() + b"\0"
        self.library.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, 1, 0, 1, None, None)
        sound = numpy.concatenate(self.samples) / numpy.float32(32768)
        loud = numpy.flatnonzero(numpy.abs(sound) > 0.02)
        return sound[loud[0]:loud[-1] + 1]


def mel_filters(hertz):
    """Triangles of equal width on the mel scale, from 60 Hz to 8 kHz. [BANDS × frequencies]"""
    def mel(frequency):
        return 1127 * numpy.log(1 + frequency / 700)
    corners = numpy.linspace(mel(60), mel(8000), BANDS + 2)
    at = mel(numpy.fft.rfftfreq(FRAME, 1 / hertz))
    width = corners[1] - corners[0]
    return numpy.maximum(0, 1 - numpy.abs(at - corners[1:-1, None]) / width)


def heard(sound, filters):
    """Mean cepstra of stretches less the mean over time, and the logarithm of length."""
    if len(sound) < FRAME + STRETCHES * STEP:
        sound = numpy.pad(sound, (0, FRAME + STRETCHES * STEP - len(sound)))
    frames = numpy.lib.stride_tricks.sliding_window_view(sound, FRAME)[::STEP]
    power = numpy.abs(numpy.fft.rfft(frames * numpy.hanning(FRAME), axis=1)) ** 2
    cepstra = dct(numpy.log(power @ filters.T + 1e-4), norm="ortho", axis=1)[:, :CEPSTRA]
    cepstra = cepstra - cepstra.mean(axis=0)
    stretches = numpy.array_split(cepstra, STRETCHES)
    means = numpy.concatenate([stretch.mean(axis=0) for stretch in stretches])
    return numpy.append(means, 5 * numpy.log(len(sound)))


def make(output, cache):
    nouns, version = wordnet.read_nouns(cache)
    words = sorted({words[0] for words, _, _ in nouns.values()
                    if words[0].isascii() and words[0].isalpha() and words[0].islower()
                    and 4 <= len(words[0]) <= 9})
    random = numpy.random.default_rng(common.SEED)
    words = random.permutation(words)[:900]
    speaker = Speaker()
    filters = mel_filters(speaker.hertz)
    features, identities = [], []
    for word in words:
        # Sizes from 3 to 50, more small than large.
        for _ in range(int(numpy.exp(random.uniform(numpy.log(3), numpy.log(50))))):
            voice = f"{random.choice(ACCENTS)}+{random.choice(VARIANTS)}"
            sound = speaker.say(
                word, voice, int(random.integers(120, 240)), int(random.integers(20, 80)))
            # Every recording has noise.
            sound = sound + random.normal(0, 0.01, len(sound)).astype(numpy.float32)
            features.append(heard(sound, filters))
            identities.append(word)
    features, identities = numpy.array(features), numpy.array(identities)
    other, train, test = common.split(identities, [0.2, 0.4, 0.4])
    features = common.discriminant(features, identities, other, 24)
    common.write(
        output, "speech", features, identities, train, test,
        source=f"{common.version('espeakng-loader')}, which carries eSpeak NG; words: "
        + version,
        licence="GPL-3.0-or-later (eSpeak NG; what it says is no part of it), WordNet 3.0 licence",
        made=f"mel cepstra of {STRETCHES} stretches of a spoken word with noise, LDA fitted on "
        "20 % of the words, in neither split")


common.run(make)
