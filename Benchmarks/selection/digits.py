"""The handwritten digits of scikit-learn, and classifiers of different strength.

The held-out third is that of Examples/digits: no classifier has seen it, and all queries are drawn from it.
"""

import zlib

import numpy as np
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

SIDE = 8
PIXELS = SIDE * SIDE
BRIGHTEST = 16.0
SEED = 1998


def parts():
    """Training images, held-out images, training labels, held-out labels."""
    images, labels = load_digits(return_X_y=True)
    return train_test_split(images, labels, test_size=1 / 3, stratify=labels, random_state=SEED)


def transposed(images):
    """Rows become columns."""
    return np.ascontiguousarray(images.reshape(-1, SIDE, SIDE).transpose(0, 2, 1)).reshape(-1, PIXELS)


def noisy(images, deviation):
    """Each pixel with an error of this standard deviation, the same one whenever the same image comes."""
    noise = [np.random.default_rng(zlib.crc32(image.tobytes())).normal(0, deviation, PIXELS) for image in images]
    return np.clip(images + np.array(noise), 0, BRIGHTEST)


def rows(first, last):
    """Sees only these rows of an image."""
    return lambda images: images.reshape(-1, SIDE, SIDE)[:, first:last].reshape(len(images), -1)


def columns(first, last):
    """Sees only these columns of an image."""
    return lambda images: images.reshape(-1, SIDE, SIDE)[:, :, first:last].reshape(len(images), -1)


def whole(images):
    """Sees all of an image."""
    return images


class Classifier:
    """What a classifier sees of an image, how many images it was trained with, and how it learns."""

    def __init__(self, learner, view=whole, samples=None):
        self._learner, self._view, self._samples = learner, view, samples

    def fit(self, images, labels):
        self._learner.fit(self._view(images[: self._samples]), labels[: self._samples])
        return self

    def predict(self, images):
        return self._learner.predict(self._view(images))


KINDS = {
    "svm": lambda: Classifier(SVC(gamma=0.002), rows(3, 8)),
    "neighbours": lambda: Classifier(KNeighborsClassifier(3, algorithm="brute"), columns(3, 8)),
    "discriminant": lambda: Classifier(QuadraticDiscriminantAnalysis(reg_param=0.05), columns(0, 5)),
    "bayes": lambda: Classifier(GaussianNB(var_smoothing=0.01)),
    "logistic": lambda: Classifier(LogisticRegression(C=0.01, max_iter=300)),
    "tree": lambda: Classifier(DecisionTreeClassifier(max_depth=6, random_state=SEED), samples=400),
}
"""What each can see, and learns from, is limited, so that they differ in strength and err at different images."""


def trained(kind, transposes=False):
    """A classifier that has learned from the training images, or from those transposed."""
    images, _, labels, _ = parts()
    return KINDS[kind]().fit(transposed(images) if transposes else images, labels)


def small_tree(number):
    """A weak classifier of its own for each number: a tree that has seen 300 images and half of their pixels."""
    images, _, labels, _ = parts()
    drawn = np.random.default_rng([SEED, number])
    chosen = drawn.choice(len(images), 300, replace=False)
    pixels = drawn.choice(PIXELS, PIXELS // 2, replace=False)
    tree = DecisionTreeClassifier(max_depth=8, random_state=number)
    return Classifier(tree, lambda given: given[:, pixels]).fit(images[chosen], labels[chosen])
