/** The words that only a job's page has, which are loaded with it. */
export const words = {
  "publication.refused": "Владельцы сайта не показали её в галерее",
  "publication.removed": "Её убрали из галереи",
  "publication.reason": ({ reason }) => `Причина: ${reason}`,
  "publication.appeal": "Возражение",
  "publication.appeal.hint": "Один раз напишите, почему она должна быть в галерее. Ответ будет окончательным.",
  "publication.appeal.send": "Отправить возражение",
  "publication.appeal.waiting": "Ваше возражение ждёт ответа:",
  "publication.appeal.refused": "Ваше возражение отклонили:",
  "error.no_appeal": "Возражать не на что, или вы уже возражали.",
};
