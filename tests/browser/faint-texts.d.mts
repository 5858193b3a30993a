/** Texts of a page with less contrast than WCAG AA asks for, each with its colours. */
export declare function faintTexts(): string[];
