"""Which language a text is in: French, English or another, told by its function words and its letters."""

from __future__ import annotations

import re

from retention_pipeline.voice.corpus import BOTH
from retention_pipeline.voice.normalising import words
from retention_pipeline.voice.taxonomy import ENGLISH, FRENCH, OTHER_LANGUAGE

_FUNCTION_WORDS = {
    FRENCH: """le la les l un une des du de d et est sont au aux ce cet cette ces c ca cela je j tu il elle on nous vous
        ils elles me m se s mon ma mes ton ta votre vos notre nos leur leurs son sa ses qui que qu quoi dont ou ne n pas
        plus jamais rien aucun aucune avec sans pour par sur sous dans chez vers entre depuis pendant avant apres mais
        donc car si comme quand comment pourquoi combien tres trop peu bien mal tout tous toute toutes meme aussi encore
        toujours deja alors ainsi avez avons ont suis etes sommes etait etaient ete fait faire peut peux pouvez voudrais
        merci bonjour bonsoir cher madame monsieur faut etre avoir moins fois""",
    ENGLISH: """the a an and or but is are was were be been being am i you he she it we they me him her us them my your
        our their its this that these those who which what when where why how not no never nothing with without for from
        to of in on at by into about after before since while because if than then so very too much many more most some
        any all every each again still already just only also do does did doesn don didn won can could should would will
        may might have has had hello hi thanks thank please dear there here as up out off over""",
    OTHER_LANGUAGE: """der die das und ist nicht ein eine einen ich wir sie mit auf fur von zu den dem im sich auch noch
        nur sehr aber wie wo wann warum mein meine unser haben hat wird werden kein keine mir uns zum zur bei nach seit
        leider immer el los las una y es son en del al con por para muy pero como cuando donde mi mis su sus lo nos
        nadie ya desde hace me gracias no esta este estan il lo gli una di che non e sono per con piu molto ma come
        quando dove mio mia nostro troppo tutti ne abbiamo ottimo mai het een van ik wij zijn niet met voor op te
        mijn onze heel maar ook als hoe waar sinds niets o os as um uma e nao com muito mas ninguem recomendo do da no
        na para que ficou jest bardzo nie na sie vi det inte""",
}  # fmt: skip

_LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ]")
_LETTER = re.compile(r"[^\W\d_]")
_FRENCH_LETTERS = re.compile(r"[éèêëàâîïôùûçœ]|\b[ldjcnmsq]['\u2019]", re.IGNORECASE)
_FOREIGN_LETTERS = re.compile(r"[ñ¿¡ßäöøåłąęśćżźãõìò]|[áíóú]", re.IGNORECASE)
_ENGLISH_FORMS = re.compile(r"n['\u2019]t\b|['\u2019](s|re|ve|ll|m)\b|\w{3,}(ing|ed)\b", re.IGNORECASE)
_FRENCH_FORMS = re.compile(r"\w{3,}(ement|aient|ez|tion)\b", re.IGNORECASE)


def _weights() -> dict[str, dict[str, float]]:
    """Word → language → weight: a word that several languages have counts less for each."""
    weights: dict[str, dict[str, float]] = {}
    for language, text in _FUNCTION_WORDS.items():
        for word in set(text.split()):
            weights.setdefault(word, {})[language] = 1.0
    return {
        word: {language: 1.0 / (2 * len(known) - 1) for language in sorted(known)} for word, known in weights.items()
    }


_WEIGHTS = _weights()


class LanguageTeller:
    """Tells languages, with words that only one language's corpus has beside the function words.

    Args:
        vocabulary: Word → language, for words of contents.
    """

    def __init__(self, vocabulary: dict[str, str]) -> None:
        self._vocabulary = vocabulary

    def tell(self, text: str) -> str:
        """The language of a text: `fr`, `en` or `other`, the latter also where nothing tells."""
        letters = len(_LETTER.findall(text))
        if not letters or len(_LATIN.findall(text)) * 2 < letters:
            return OTHER_LANGUAGE
        scores = {FRENCH: 0.0, ENGLISH: 0.0, OTHER_LANGUAGE: 0.0}
        for word in words(text):
            known = _WEIGHTS.get(word)
            if known is not None:
                for language, weight in known.items():
                    scores[language] += weight
            elif (language := self._vocabulary.get(word, "")) in scores:
                scores[language] += 0.6
            elif language == BOTH:
                scores[FRENCH] += 0.3
                scores[ENGLISH] += 0.3
            elif len(word) > 3 and word.isalpha():
                # A longer word that neither corpus has speaks a little for neither.
                scores[OTHER_LANGUAGE] += 0.25
        scores[FRENCH] += 0.4 * min(4, len(_FRENCH_LETTERS.findall(text))) + 0.2 * bool(_FRENCH_FORMS.search(text))
        scores[ENGLISH] += 0.4 * min(2, len(_ENGLISH_FORMS.findall(text)))
        scores[OTHER_LANGUAGE] += 0.6 * min(3, len(_FOREIGN_LETTERS.findall(text)))
        best = max(scores, key=lambda language: (scores[language], language == FRENCH, language == ENGLISH))
        return best if scores[best] > 0 else OTHER_LANGUAGE
