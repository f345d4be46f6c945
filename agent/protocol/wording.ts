/**
 * Words that suggest that a request is about people who assembled rather than about a crime. They only raise a warning:
 * a burglary beside a rally is still a burglary, and the owner decides. English, German, French and Spanish; whole words.
 */
const words = [
  String.raw`assembl(?:y|ies)|boycott\w*|demonstrat(?:ion|ions|or|ors|ing)|march(?:es|ers|ing)|picket\w*|protest\w*`,
  String.raw`rall(?:y|ies)|sit-ins?|strikers?|trade unions?|labou?r unions?|vigils?|worship\w*`,
  'demos?|demonstrationen|kundgebung(?:en)?|mahnwachen?|streiks?|versammlung(?:en)?',
  'manifestations?|manifestants?|grèves?|rassemblements?|cortèges?',
  'manifestaci(?:ón|ones)|manifestantes?|huelgas?|concentraci(?:ón|ones)',
];

const pattern = new RegExp(String.raw`(?<![\p{L}\p{N}])(?:${words.join('|')})(?![\p{L}\p{N}])`, 'iu');

export function hasAssemblyWording(texts: readonly string[]): boolean {
  return texts.some((text) => pattern.test(text.normalize('NFKC')));
}
